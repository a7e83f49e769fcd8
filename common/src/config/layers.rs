//! From flags, environment, file and defaults to one typed set of settings.
//!
//! Clap is the single source of truth: a value from the file or the environment becomes the
//! argument's default, so it is read, checked and explained by the same code as a flag.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Args, Command};
use serde::Serialize;
use thiserror::Error;

use super::in_force::{self, InForce, Origin};
use super::programs::{ServerConfig, SuiteConfig};
use super::values::mask_password;
use super::{ChatConfig, ImageConfig, TransferConfig};

/// What variables of the environment begin with.
const PREFIX: &str = "MYIM_";

/// Variables with this beginning belong to the tests, which start servers from their own
/// environment.
const TEST_PREFIX: &str = "MYIM_TEST_";

/// Variables of ours that are no settings: the file's name, and what the command line reads.
const NOT_SETTINGS: [&str; 7] = [
    "MYIM_CONFIG",
    "MYIM_PASSWORD",
    "MYIM_CONFIG_DIR",
    "MYIM_ACCOUNT",
    "MYIM_TOKEN",
    "MYIM_SERVER",
    "MYIM_CA",
];

/// Below this likeness (0 to 1) a suggestion confuses more than it helps.
const LIKENESS_MIN: f64 = 0.7;

/// The settings of one program.
pub trait Program: Args + Serialize {
    /// Fills in what follows from other settings.
    fn settle(&mut self);

    /// Keeps what is in force, if administrators can ask this program for it.
    fn tell(&mut self, _settings: Vec<InForce>) {}
}

/// How a program introduces itself, and the defaults that only it has.
#[derive(Clone, Copy, Debug)]
pub struct About {
    pub name: &'static str,
    pub text: &'static str,
    pub defaults: &'static [(&'static str, &'static str)],
}

/// What the settings say to do.
#[derive(Debug)]
pub enum Loaded<T> {
    Run(T),
    /// Print this and end: the effective settings as TOML, secrets masked.
    Print(String),
}

/// Settings that cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// A wrong flag; or no error at all, but a request for help or the version.
    #[error("{}", mask_password(.0.to_string().trim_end()))]
    Usage(#[from] clap::Error),
    #[error("cannot read the configuration file {}: {reason}", .path.display())]
    File { path: PathBuf, reason: String },
    #[error("{origin}: there is no setting {key}{}", suggestion(.nearest.as_deref()))]
    Unknown {
        origin: String,
        key: String,
        nearest: Option<String>,
    },
    #[error("{origin}: {key} = {value:?} cannot be used: {reason}\n{key}: {meaning}")]
    Value {
        origin: String,
        key: String,
        value: String,
        reason: String,
        meaning: String,
    },
    #[error("cannot print the settings: {0}")]
    Print(#[from] toml::ser::Error),
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(
        || "; --help lists them all".to_owned(),
        |key| format!("; did you mean {key}?"),
    )
}

/// One value from the file or the environment.
struct Setting {
    /// Where it stands, for messages.
    origin: String,
    layer: Origin,
    /// How it is called there.
    written: String,
    key: String,
    value: String,
}

/// Reads the settings of this process. `args` are the arguments behind the program's name.
pub fn load<T: Program>(about: About, args: &[OsString]) -> Result<Loaded<T>, ConfigError> {
    let environment: Vec<_> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect();
    load_from(about, args, &environment)
}

/// The same from given arguments and variables.
pub fn load_from<T: Program>(
    about: About,
    args: &[OsString],
    environment: &[(String, OsString)],
) -> Result<Loaded<T>, ConfigError> {
    let command = command::<T>(about);
    let matches = |command: Command| {
        let name = OsString::from(about.name);
        command.try_get_matches_from(std::iter::once(&name).chain(args))
    };
    let flags = matches(command.clone())?;

    let mut settings = Vec::new();
    if let Some(path) = config_file(&flags, environment) {
        settings.extend(from_file(&path)?);
    }
    settings.extend(from_environment(environment));

    let mut layered = command.clone();
    let mut layers = HashMap::new();
    for setting in settings {
        if !is_known(&command, &setting)? {
            continue;
        }
        check(&command, &setting)?;
        layers.insert(setting.key.clone(), setting.layer);
        layered = layered.mut_arg(&setting.key, |arg| {
            arg.required(false).default_value(setting.value)
        });
    }
    let matches = matches(layered)?;
    let mut loaded = T::from_arg_matches(&matches)?;
    loaded.settle();
    let layer = |name: &str| layers.get(name).copied();
    loaded.tell(in_force::all(keys(&command), &loaded, &matches, layer)?);
    if matches.get_flag("print_config") {
        return Ok(Loaded::Print(toml::to_string(&loaded)?));
    }
    Ok(Loaded::Run(loaded))
}

/// A group of settings as it is when nothing is set.
pub(super) fn defaults<T: Args>() -> T {
    let command = T::augment_args(Command::new("defaults"));
    command
        .try_get_matches_from(["defaults"])
        .and_then(|matches| T::from_arg_matches(&matches))
        .expect("every setting of a shared group has a default, as the tests show")
}

fn command<T: Args>(about: About) -> Command {
    let mut command = T::augment_args(Command::new(about.name));
    for &(key, value) in about.defaults {
        command = command.mut_arg(key, |arg| arg.required(false).default_value(value));
    }
    let command = command.mut_args(|arg| {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let variable = format!("{PREFIX}{}", arg.get_id().as_str().to_uppercase());
        arg.help(format!("{help} [env: {variable}]"))
            .long_help(None)
    });
    command
        .next_help_heading(None::<&'static str>)
        .about(about.text)
        .long_about(None)
        .version(env!("CARGO_PKG_VERSION"))
        .after_help(
            "Flags win over the environment, the environment over the file, the file over the \
             defaults.\nIn the file a setting is called like its flag: chat_port = 20000.",
        )
        .arg(
            Arg::new("config")
                .long("config")
                .value_name("FILE")
                .value_parser(clap::value_parser!(PathBuf))
                .help("Read settings from this TOML file [env: MYIM_CONFIG]"),
        )
        .arg(
            Arg::new("print_config")
                .long("print-config")
                .action(ArgAction::SetTrue)
                .help("Print the effective settings, without passwords, and end"),
        )
}

/// The names of all settings of a command.
fn keys(command: &Command) -> Vec<String> {
    command
        .get_arguments()
        .map(|arg| arg.get_id().as_str())
        .filter(|id| !["config", "print_config", "help", "version"].contains(id))
        .map(str::to_owned)
        .collect()
}

/// The names of all settings of all programs: several may share one file or one environment.
fn keys_of_all() -> Vec<String> {
    let about = About {
        name: "any",
        text: "",
        defaults: &[],
    };
    let commands = [
        command::<SuiteConfig>(about),
        command::<ServerConfig<ChatConfig>>(about),
        command::<ServerConfig<TransferConfig>>(about),
        command::<ServerConfig<ImageConfig>>(about),
    ];
    commands.iter().flat_map(keys).collect()
}

fn config_file(flags: &ArgMatches, environment: &[(String, OsString)]) -> Option<PathBuf> {
    let variable = || {
        let found = environment
            .iter()
            .find(|(name, value)| name == "MYIM_CONFIG" && !value.is_empty());
        found.map(|(_, value)| PathBuf::from(value))
    };
    flags.get_one("config").cloned().or_else(variable)
}

fn from_file(path: &Path) -> Result<Vec<Setting>, ConfigError> {
    let wrong = |reason: String| ConfigError::File {
        path: path.to_owned(),
        reason,
    };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let table: toml::Table = text
        .parse()
        .map_err(|error: toml::de::Error| wrong(mask_password(&error.to_string())))?;
    let settings = table.into_iter().map(|(key, value)| {
        let value = match value {
            toml::Value::String(text) => text,
            other => other.to_string(),
        };
        Setting {
            origin: path.display().to_string(),
            layer: Origin::File,
            written: key.clone(),
            key,
            value,
        }
    });
    Ok(settings.collect())
}

/// An empty variable is one that is not set, as container files like to have it.
fn from_environment(environment: &[(String, OsString)]) -> Vec<Setting> {
    environment
        .iter()
        .filter(|(name, value)| {
            !NOT_SETTINGS.contains(&name.as_str())
                && !name.starts_with(TEST_PREFIX)
                && !value.is_empty()
        })
        .map(|(name, value)| Setting {
            origin: "environment".to_owned(),
            layer: Origin::Environment,
            written: name.clone(),
            key: name.trim_start_matches(PREFIX).to_lowercase(),
            // What is not UTF-8 turns into something that no setting accepts, but for a path,
            // which is then not found under the name shown.
            value: value.to_string_lossy().into_owned(),
        })
        .collect()
}

/// Whether this program has the setting. What another program has is no mistake, as several may
/// share a file or an environment; but whoever sets a port means it.
fn is_known(command: &Command, setting: &Setting) -> Result<bool, ConfigError> {
    let keys = keys(command);
    if keys.contains(&setting.key) {
        return Ok(true);
    }
    let is_port = setting.key.ends_with("port");
    if !is_port && keys_of_all().contains(&setting.key) {
        return Ok(false);
    }
    let nearest = keys
        .into_iter()
        .map(|key| (likeness(&key, &setting.key), key))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, key)| key);
    let as_written = |key: String| {
        if setting.written == setting.key {
            key
        } else {
            format!("{PREFIX}{}", key.to_uppercase())
        }
    };
    Err(ConfigError::Unknown {
        origin: setting.origin.clone(),
        key: setting.written.clone(),
        nearest: nearest.map(as_written),
    })
}

/// How alike two names are, from 0 to 1. One that only lacks its first word is near, which a
/// measure of letters alone does not see.
fn likeness(key: &str, written: &str) -> f64 {
    if key.ends_with(written) || written.ends_with(key) {
        return 0.95;
    }
    strsim::jaro_winkler(key, written)
}

/// Lets clap judge the value alone, so that the message can say where it stands.
fn check(command: &Command, setting: &Setting) -> Result<(), ConfigError> {
    let flag = format!("--{}={}", setting.key.replace('_', "-"), setting.value);
    let Err(error) = command.clone().try_get_matches_from(["check", &flag]) else {
        return Ok(());
    };
    let allowed = error.get(clap::error::ContextKind::ValidValue);
    let reason = match (allowed, std::error::Error::source(&error)) {
        (Some(allowed), _) => format!("allowed are {allowed}"),
        (None, Some(source)) => source.to_string(),
        (None, None) => error.kind().to_string(),
    };
    let arg = command
        .get_arguments()
        .find(|arg| arg.get_id().as_str() == setting.key);
    let help = arg.and_then(Arg::get_help).map(ToString::to_string);
    Err(ConfigError::Value {
        origin: setting.origin.clone(),
        key: setting.written.clone(),
        value: mask_password(&setting.value),
        reason: mask_password(&reason),
        meaning: help.unwrap_or_default(),
    })
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
