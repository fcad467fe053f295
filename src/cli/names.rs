//! The names of subjects on the command line.

use super::args::Cli;
use super::help::Program;
use crate::subject::{SubjectKind, Subjects};
use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command, CommandFactory, Error};
use std::ffi::OsStr;

/// The command line over these subjects. Shells complete their names, and the help lists external ones and names this program.
pub(super) fn command(subjects: Subjects) -> Command {
    let program = Program::new(subjects);
    let command = Cli::command();
    let commands: Vec<String> = command.get_subcommands().map(|each| each.get_name().to_owned()).collect();
    let mut command = filled(command, &program, None);
    for name in commands {
        let about = about(subjects, &name);
        command = command.mut_subcommand(&name, |each| {
            filled(each, &program, Some(&name)).mut_args(|arg| {
                if arg.get_id() == "subject" { named(arg, subjects, about.clone()) } else { arg }
            })
        });
    }
    command
}

/// Fills the program into the help of a command.
fn filled(mut command: Command, program: &Program, name: Option<&str>) -> Command {
    if let Some(text) = command.get_about().map(|text| program.fill(&text.to_string())) {
        command = command.about(text);
    }
    if let Some(text) = command.get_long_about().map(|text| program.fill(&text.to_string())) {
        command = command.long_about(text);
    }
    match program.below(name) {
        Some(text) => command.after_long_help(text),
        None => command,
    }
}

fn named(arg: Arg, subjects: Subjects, about: String) -> Arg {
    arg.value_parser(Names(subjects)).hide_possible_values(true).help(about)
}

/// The help of `--subject` in a command.
fn about(subjects: Subjects, command: &str) -> String {
    let own: String = subjects.external().map(|kind| kind.name() + ", ").collect();
    let own = format!(
        "The queue under test: {own}core, specimen, specimen-DEFECT (`calibrate` measures and lists them)"
    );
    let usual = subjects.default_kind().name();
    match command {
        "explore" => format!("{own} [default: {usual}]"),
        "calibrate" => format!(
            "The queues to measure, such as variants of your queue with known defects: {}core, specimen, \
             specimen-DEFECT [default: every specimen with a defect]",
            subjects.external().map(|kind| kind.name() + ", ").collect::<String>()
        ),
        "run" => format!("{own}, or deadly-DEED, which needs --isolate [default: {usual}]"),
        _ => format!(
            "{own}, or deadly-DEED, which needs --isolate [default: the subjects that the file names, or {usual}]"
        ),
    }
}

/// Accepts any name. `Session::subject` refuses unknown names and suggests the nearest ones.
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
