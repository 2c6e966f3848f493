//! `tesela`: the one executable. Every command names its cube, prints JSON with `--json`, and exits with 1 on
//! failure, 2 on a command line that cannot be read.

mod args;
mod commands;
mod failure;
mod output;
mod progress;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Cli;
use crate::output::Output;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_env("TESELA_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if cli.json {
        logs.json().init();
    } else {
        logs.init();
    }
    // GDAL would print its own lines between ours; what matters of them is in the errors.
    gdal::config::set_error_handler(|class, number, text| {
        tracing::debug!(target: "gdal", ?class, number, "{text}");
    });
    let output = Output::new(cli.json);
    match commands::run(cli, &output) {
        Ok(code) => code,
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(1)
        }
    }
}
