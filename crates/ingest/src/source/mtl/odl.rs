//! `GROUP = …` text (ODL as USGS writes it).

use super::tree::Group;
use super::{MAX_DEPTH, Problem};

/// Reads the one outer group. `END` and everything after it may be missing; open groups may not.
pub fn parse(text: &str) -> Result<Group, Problem> {
    let mut open: Vec<(usize, Group)> = Vec::new();
    let mut done: Option<Group> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        if line.eq_ignore_ascii_case("END") {
            break;
        }
        let Some((key, value)) = line.split_once('=') else {
            return Err((number, format!("`{}` is neither `NAME = value` nor END", short(line))));
        };
        let (key, value) = (key.trim(), unquoted(value));
        if key.eq_ignore_ascii_case("GROUP") || key.eq_ignore_ascii_case("OBJECT") {
            if open.len() >= MAX_DEPTH {
                return Err((number, format!("groups nest deeper than {MAX_DEPTH}")));
            }
            if done.is_some() {
                return Err((number, format!("a second outer group, `{}`", short(value))));
            }
            open.push((number, Group::new(value)));
        } else if key.eq_ignore_ascii_case("END_GROUP") || key.eq_ignore_ascii_case("END_OBJECT") {
            done = close(&mut open, number, value)?;
        } else if let Some((_, group)) = open.last_mut() {
            group.push(key, value);
        } else {
            return Err((number, format!("the field `{}` stands outside any group", short(key))));
        }
    }
    if let Some((number, group)) = open.pop() {
        let problem = format!("the group {} opened here is not closed: the file is cut short", group.name);
        return Err((number, problem));
    }
    done.ok_or_else(|| (0, "no GROUP in the file".to_owned()))
}

/// Closes the innermost group; gives the outer group when it was that one.
fn close(open: &mut Vec<(usize, Group)>, number: usize, name: &str) -> Result<Option<Group>, Problem> {
    let Some((_, group)) = open.pop() else {
        return Err((number, format!("END_GROUP = {} closes nothing", short(name))));
    };
    if !group.name.eq_ignore_ascii_case(name) {
        return Err((number, format!("END_GROUP = {} closes the group {}", short(name), group.name)));
    }
    match open.last_mut() {
        Some((_, parent)) => {
            parent.groups.push(group);
            Ok(None)
        }
        None => Ok(Some(group)),
    }
}

fn unquoted(value: &str) -> &str {
    value.trim().trim_matches('"').trim()
}

/// The start of a text, for messages.
fn short(text: &str) -> String {
    text.chars().take(60).collect()
}
