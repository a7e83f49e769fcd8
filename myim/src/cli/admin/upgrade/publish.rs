//! `myim upgrade publish`

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use common::blob::PlainName;
use common::upgrade::{Claim, OLD_CHANNEL, OLD_PLATFORM, Version};
use hyper::Method;
use serde_json::{Value, json};

use super::super::Desk;
use super::super::output::text;
use super::super::trouble::Trouble;
use super::change::called;
use super::package::Package;
use super::upload::{Uploader, upload};
use super::{Line, key};

#[derive(Args)]
pub(super) struct PublishArgs {
    #[command(flatten)]
    line: Line,
    /// Three numbers like 1.2.3, above all that were published before
    #[arg(long)]
    version: Version,
    /// How many of a hundred devices are offered it at first
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(..=100))]
    percent: u32,
    /// What is new in it
    #[arg(long, value_name = "TEXT")]
    notes: Option<String>,
    /// The same, in a file
    #[arg(long, value_name = "FILE", conflicts_with = "notes")]
    notes_file: Option<PathBuf>,
    /// The key that signs it [default: that of myim upgrade key]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// It is signed by another key than the package before, and clients know that
    #[arg(long)]
    new_key: bool,
    /// Tell existing Windows clients of it too, under this name, which is Flamingo for the client
    /// itself; FILE has to be a zip file
    #[arg(long, value_name = "NAME")]
    old_name: Option<String>,
    /// What the package is called [default: the name of FILE]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Where the file server is [default: port 20001 of the server, or what myim login was told]
    #[arg(long, value_name = "URL")]
    file_server: Option<String>,
    /// The package
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(super) async fn run(
    desk: &Desk,
    uploader: &Uploader,
    args: PublishArgs,
) -> Result<(), Trouble> {
    let key = key::read(args.key.as_deref())?;
    let name = name_of(args.name.as_deref(), &args.file)?;
    let notes = notes(args.notes, args.notes_file.as_deref())?;
    let package = Package::read(args.file).await?;
    let claim = Claim {
        platform: args.line.platform.clone(),
        channel: args.line.channel.clone(),
        version: args.version,
        file: package.file,
        size: package.size,
        name,
        notes,
    };
    claim
        .check()
        .map_err(|fault| Trouble::usage(fault.to_string()))?;
    if args.old_name.is_some() {
        check_old(&claim, &package)?;
    }
    // The server checks this again; here it is said before anything is uploaded.
    let before = args.line.all(desk).await?;
    check_version(&before, &claim.version, args.old_name.is_some())?;
    if let Some(last) = before.first()
        && last["key"] != key.public()
        && !args.new_key
    {
        return Err(Trouble::refused(format!(
            "{} was signed by another key, and clients that know only that one will not install \
             this package: sign with that key, or give --new-key",
            called(last)
        )));
    }
    let files = uploader.file_server(args.file_server.as_deref())?;
    upload(&files, &package, &claim.name).await?;
    let mut body = json!({
        "platform": claim.platform,
        "channel": claim.channel,
        "version": claim.version.to_string(),
        "file": claim.file.to_string(),
        "size": claim.size,
        "name": claim.name,
        "notes": claim.notes,
        "percent": args.percent,
        "key": key.public(),
        "signature": key.sign(&claim.text()),
    });
    if let Some(old_name) = args.old_name {
        body["old_name"] = old_name.into();
    }
    let made = desk
        .way
        .call(Method::POST, "/upgrades", Some(&body))
        .await?;
    let sentence = format!("{} is published for {}%.", called(&made), args.percent);
    desk.output.line(&made, &sentence)
}

fn name_of(given: Option<&str>, file: &Path) -> Result<String, Trouble> {
    let own = || {
        file.file_name()
            .map(|name| name.to_string_lossy().into_owned())
    };
    let name = given.map(str::to_owned).or_else(own).unwrap_or_default();
    if PlainName::new(name.as_bytes()).is_none() {
        return Err(Trouble::usage(format!(
            "{name:?} is no name for a package, which may have letters, digits, dots, - and _ \
             only: give --name"
        )));
    }
    Ok(name)
}

fn notes(text: Option<String>, file: Option<&Path>) -> Result<String, Trouble> {
    match file {
        None => Ok(text.unwrap_or_default()),
        Some(file) => fs::read_to_string(file)
            .map_err(|error| Trouble::usage(format!("{}: {error}", file.display()))),
    }
}

fn check_old(claim: &Claim, package: &Package) -> Result<(), Trouble> {
    if (&*claim.platform, &*claim.channel) != (OLD_PLATFORM, OLD_CHANNEL) {
        return Err(Trouble::usage(
            "--old-name is for --platform windows --channel stable only: existing clients know no \
             others",
        ));
    }
    if !package.is_zip {
        return Err(Trouble::usage(format!(
            "{} is no zip file, and existing Windows clients unpack nothing else",
            package.path.display()
        )));
    }
    Ok(())
}

/// Says what to do about a version that is too low, for all or for existing Windows clients.
fn check_version(before: &[Value], version: &Version, is_for_old: bool) -> Result<(), Trouble> {
    let published: Vec<(Version, bool)> = before
        .iter()
        .filter_map(|upgrade| {
            let version = text(upgrade, "version").parse().ok()?;
            Some((version, upgrade["old_name"].is_string()))
        })
        .collect();
    let highest = published.iter().map(|(version, _)| version).max();
    if let Some(highest) = highest.filter(|highest| *highest >= version) {
        return Err(Trouble::refused(format!(
            "{version} is not above {highest}, which was published before: number it higher, also \
             if that was withdrawn"
        )));
    }
    let texts = published.iter().filter(|(_, is_for_old)| *is_for_old);
    let highest_text = texts.map(|(version, _)| version.to_string()).max();
    let Some(old) = highest_text.filter(|old| is_for_old && *old >= version.to_string()) else {
        return Ok(());
    };
    let instead = match above_in_both_ways(&old, version) {
        Some(instead) => format!("number it {instead}"),
        None => "number it so that it is above in both ways".to_owned(),
    };
    Err(Trouble::refused(format!(
        "existing Windows clients compare versions letter by letter, and for them {version} is not \
         above {old}: {instead}, or leave --old-name out, so that they are not told of it"
    )))
}

/// A version that is above `wanted` as a number, or the same, and above `old` as a text.
fn above_in_both_ways(old: &str, wanted: &Version) -> Option<String> {
    let mut numbers = old
        .split(['.', '-'])
        .map_while(|part| part.parse::<u64>().ok());
    let (major, minor, patch) = (numbers.next()?, numbers.next()?, numbers.next()?);
    let candidates = [
        format!("{}.0.0", major + 1),
        format!("{major}.{}.0", minor + 1),
        format!("{major}.{minor}.{}", patch + 1),
        format!("{major}.{minor}.{patch}1"),
    ];
    let fits = |text: &String| {
        let version: Option<Version> = text.parse().ok();
        text.as_str() > old && version.is_some_and(|version| version >= *wanted)
    };
    let by_number = candidates.iter().find(|text| fits(text));
    // Where a further digit in the first number changes the order of the letters.
    by_number.cloned().or_else(|| {
        let longer = format!("{major}1.0.0");
        fits(&longer).then_some(longer)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: &[(&str, bool)], version: &str, is_for_old: bool) -> Result<(), String> {
        let before: Vec<Value> = before
            .iter()
            .map(|(version, is_for_old)| {
                let old_name = is_for_old.then_some("Flamingo");
                json!({"version": version, "old_name": old_name})
            })
            .collect();
        let checked = check_version(&before, &version.parse().unwrap(), is_for_old);
        checked.map_err(|trouble| trouble.sentence().unwrap_or_default().to_owned())
    }

    #[test]
    fn a_version_must_be_above_for_old_clients_too() {
        assert_eq!(check(&[], "0.1.0", true), Ok(()));
        assert_eq!(check(&[("1.9.0", true)], "1.9.1", true), Ok(()));
        let low = check(&[("1.9.0", true)], "1.10.0", true).unwrap_err();
        assert!(
            low.contains("number it 2.0.0, or leave --old-name out"),
            "{low}"
        );
        assert_eq!(check(&[("1.9.0", true)], "1.10.0", false), Ok(()));
        assert_eq!(check(&[("1.9.0", false)], "1.10.0", true), Ok(()));
        let low = check(&[("1.9.0", false)], "1.9.0", false).unwrap_err();
        assert!(low.contains("1.9.0 is not above 1.9.0"), "{low}");
        let nine = check(&[("9.9.9", true)], "10.0.0", true).unwrap_err();
        assert!(nine.contains("number it 91.0.0"), "{nine}");
    }

    #[test]
    fn the_name_of_a_package_is_plain() {
        let name = |given, file: &str| name_of(given, Path::new(file)).ok();
        assert_eq!(name(None, "a/Setup 1.zip"), None);
        assert_eq!(name(None, "a/Setup-1.zip").as_deref(), Some("Setup-1.zip"));
        let given = name(Some("Setup.zip"), "a/Setup 1.zip");
        assert_eq!(given.as_deref(), Some("Setup.zip"));
    }
}
