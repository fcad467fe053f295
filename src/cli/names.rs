//! The names of subjects, as somebody types them.

use super::args::Cli;
use crate::subject::{SubjectKind, Subjects};
use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command, CommandFactory, Error};
use std::ffi::OsStr;

/// What can be asked for, where these subjects are known: their names are completed by a shell, and somebody's own stand
/// in the help.
pub(super) fn command(subjects: Subjects) -> Command {
    let mut command = Cli::command();
    let commands: Vec<String> = command.get_subcommands().map(|each| each.get_name().to_owned()).collect();
    for name in commands {
        let about = about(subjects, &name);
        command = command.mut_subcommand(name, |each| {
            each.mut_args(
                |arg| if arg.get_id() == "subject" { named(arg, subjects, about.clone()) } else { arg },
            )
        });
    }
    command
}

fn named(arg: Arg, subjects: Subjects, about: String) -> Arg {
    arg.value_parser(Names(subjects)).hide_possible_values(true).help(about)
}

/// What stands in the help of a command.
fn about(subjects: Subjects, command: &str) -> String {
    let own: String = subjects.external().map(|kind| kind.name() + ", ").collect();
    let own = format!("The queue under test: {own}core, specimen, specimen-DEFECT (`calibrate` lists them)");
    let usual = subjects.default_kind().name();
    match command {
        "explore" => format!("{own} [default: {usual}]"),
        "run" => format!("{own}, or deadly-DEED, which is for child processes [default: {usual}]"),
        _ => format!(
            "{own}, or deadly-DEED, which is for child processes; unless given, those that the file says what to expect of, or {usual}"
        ),
    }
}

/// Any name: one that is none is refused by whoever looks for the subject, who knows the nearest ones.
#[derive(Clone)]
struct Names(Subjects);

impl TypedValueParser for Names {
    type Value = String;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<String, Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.named().map(SubjectKind::name).map(PossibleValue::new)))
    }
}
