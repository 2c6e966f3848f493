//! One file a command.

mod compute;
mod demo;
mod export;
mod info;
mod ingest;
mod inspect;
mod keep;
mod products;
mod repair;
mod scenes;
mod serve;
mod zones;

use std::path::Path;
use std::process::ExitCode;

use tesela_compute::Cube;

use crate::args::{Cli, Command, ConfigCommand, ScenesCommand};
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::{Console, catch_signals};

/// Runs the command.
pub fn run(cli: Cli, output: &Output) -> Result<ExitCode, Failure> {
    let console = Console::new(cli.json);
    let dir = cli.cube.as_deref();
    match cli.command {
        Command::Init { dir } => products::init(&dir, output)?,
        Command::Demo(args) => {
            catch_signals();
            return demo::run(dir.ok_or(Failure::NoCube)?, &args, &console, output);
        }
        Command::Ingest(args) => {
            catch_signals();
            use_threads(args.limits.threads);
            ingest::run(&open(dir)?, &args, &console, output)?;
        }
        Command::Compute(args) => {
            catch_signals();
            compute::run(&open(dir)?, &args, &console, output)?;
        }
        Command::Plan(args) => compute::plan(&open(dir)?, &args, output)?,
        Command::Work(args) => {
            catch_signals();
            compute::work(&open(dir)?, &args, &console, output)?;
        }
        Command::Commit { plan, wait } => compute::commit(&open(dir)?, &plan, wait, output)?,
        Command::Export(args) => {
            catch_signals();
            export::run(&open(dir)?, &args, &console, output)?;
        }
        Command::Products(command) => products::run(dir, command, output)?,
        Command::Scenes(command) => {
            if matches!(command, ScenesCommand::Archive(_) | ScenesCommand::Restore(_)) {
                catch_signals();
            }
            scenes::run(&open(dir)?, command, &console, output)?;
        }
        Command::Quarantine(command) => ingest::quarantine(&open(dir)?, &command, &console, output)?,
        Command::Zones(command) => zones::run(&open(dir)?, command, output)?,
        Command::Snapshots(command) => inspect::snapshots(&open(dir)?, &command, output)?,
        Command::Compact(args) => {
            catch_signals();
            use_threads(args.threads);
            keep::compact(&open(dir)?, &args, &console, output)?;
        }
        Command::Gc(args) => {
            catch_signals();
            keep::gc(&open(dir)?, &args, &console, output)?;
        }
        Command::Backup { to } => {
            catch_signals();
            keep::backup(&open(dir)?, &to, &console, output)?;
        }
        Command::Migrate => keep::migrate(dir.ok_or(Failure::NoCube)?, output)?,
        Command::Serve(args) => serve::run(&open(dir)?, &args, output)?,
        Command::Repair(args) => {
            catch_signals();
            use_threads(args.threads);
            return repair::run(&open(dir)?, &args, &console, output);
        }
        Command::Check => return inspect::check(&open(dir)?, &console, output),
        Command::Info { usage: false, snapshot } => info::run(&open(dir)?, snapshot.as_deref(), output)?,
        Command::Info { usage: true, .. } => keep::usage(&open(dir)?, output)?,
        Command::Config(ConfigCommand::Show) => info::config(dir, output),
        Command::Openapi => {
            output.print(&serde_json::to_string_pretty(&tesela_api::openapi_document()).unwrap_or_default());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Threads of everything that runs in parallel; before anything does.
fn use_threads(threads: Option<u16>) {
    if let Some(n) = threads {
        // It fails only when the pool runs already, which no command does before this.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(usize::from(n)).build_global();
    }
}

fn open(dir: Option<&Path>) -> Result<Cube, Failure> {
    Ok(Cube::open(dir.ok_or(Failure::NoCube)?)?)
}

/// The snapshot that the operator named, by its number or a tag; the latest when none was named.
fn snapshot(cube: &Cube, asked: Option<&str>) -> Result<u64, Failure> {
    let Some(asked) = asked else { return Ok(cube.snapshot(None)?) };
    let latest = cube.snapshot(None)?;
    if let Some(n) = asked.parse::<u64>().ok().filter(|n| *n <= latest) {
        return Ok(cube.snapshot(Some(n))?);
    }
    let tags = cube.index().tags()?;
    if let Some(tag) = tags.iter().find(|tag| tag.name == asked) {
        return Ok(cube.snapshot(Some(tag.snapshot))?);
    }
    if let Ok(n) = asked.parse() {
        return Ok(cube.snapshot(Some(n))?);
    }
    let known: Vec<&str> = tags.iter().map(|tag| tag.name.as_str()).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Err(tesela_index::IndexError::UnknownTag { name: asked.chars().take(64).collect(), known }.into())
}

/// Reads a text file that the operator named.
fn read_text(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(Failure::file("read", path))
}
