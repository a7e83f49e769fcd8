//! The units for systemd: it takes them as they are, they leave a service little that it could do,
//! and what cannot be mended by starting again is not started again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use myim_tests::foreign::root;
use myim_tests::machine::{Need, program_or_skip};
use myim_tests::process::{PROCESS_PATIENCE, Process, program};
use myim_tests::server::{Db, Kind, Server, Setup};
use tempfile::TempDir;

/// How much of a system a service may reach, in tenths, as `systemd-analyze security` counts: 0 is
/// nothing, 100 everything. The network counts for 9, and a server needs it.
const EXPOSURE_MAX: &str = "11";

/// Where people install the programs.
const INSTALLED: &str = "/usr/local/bin/";

/// The file in the project, and each service that is made of it.
const UNITS: [(&str, &[&str]); 2] = [
    ("myim.service", &["myim.service"]),
    (
        "myim-server@.service",
        &[
            "myim-server@mychatserver.service",
            "myim-server@myfileserver.service",
            "myim-server@myimgserver.service",
        ],
    ),
];

fn unit(name: &str) -> String {
    let path = root().join("packaging/systemd").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The services with the programs of this build, in a directory.
fn services(folder: &Path) -> Vec<PathBuf> {
    let programs = program("myim");
    let programs = programs.parent().unwrap().to_string_lossy().into_owned();
    let mut made = Vec::new();
    for (file, names) in UNITS {
        let text = unit(file);
        assert!(text.contains(INSTALLED), "{file}");
        let text = text.replace(INSTALLED, &format!("{programs}/"));
        for name in names {
            let path = folder.join(name);
            fs::write(&path, &text).unwrap();
            made.push(path);
        }
    }
    made
}

fn exposure(analyzer: &Path, unit: &Path) -> Process {
    let mut command = Command::new(analyzer);
    command.args(["security", "--no-pager", "--offline=true"]);
    let threshold = format!("--threshold={EXPOSURE_MAX}");
    let process = Process::spawn(command.arg(threshold).arg(unit));
    process.wait(PROCESS_PATIENCE);
    process
}

#[test]
fn systemd_takes_the_units() {
    let what = "whether systemd takes the units";
    let Some(analyzer) = program_or_skip(Need::SystemdAnalyze, what) else {
        return;
    };
    let folder = TempDir::with_prefix("myim-units-").unwrap();
    let verify = |unit: &Path| {
        let mut command = Command::new(&analyzer);
        let process = Process::spawn(command.args(["verify", "--man=no"]).arg(unit));
        let status = process.wait(PROCESS_PATIENCE);
        (status.success() && process.log().is_empty(), process)
    };
    for unit in services(folder.path()) {
        let (is_taken, said) = verify(&unit);
        assert!(is_taken, "{}", said.story());
    }
    // It would say so if there were something to say.
    let broken = unit("myim.service").replace("RestartSec=2", "RestartSex=2");
    let path = folder.path().join("broken.service");
    fs::write(&path, broken).unwrap();
    let (is_taken, said) = verify(&path);
    assert!(!is_taken, "{}", said.story());
}

#[test]
fn a_service_can_reach_little_of_the_system() {
    let what = "how much of the system a service may reach";
    let Some(analyzer) = program_or_skip(Need::SystemdAnalyze, what) else {
        return;
    };
    let folder = TempDir::with_prefix("myim-units-").unwrap();
    for unit in services(folder.path()) {
        let said = exposure(&analyzer, &unit);
        assert!(said.wait(PROCESS_PATIENCE).success(), "{}", said.story());
    }
    // Each of these lines is missed.
    for line in [
        "SystemCallFilter=",
        "CapabilityBoundingSet=",
        "PrivateDevices=",
    ] {
        let text = unit("myim.service");
        let left: Vec<_> = text.lines().filter(|one| !one.starts_with(line)).collect();
        let path = folder.path().join("exposed.service");
        fs::write(&path, left.join("\n")).unwrap();
        let said = exposure(&analyzer, &path);
        assert!(
            !said.wait(PROCESS_PATIENCE).success(),
            "{line}: {}",
            said.story()
        );
    }
}

#[test]
fn all_services_are_locked_in_alike() {
    let rules = |name: &str| {
        let text = unit(name);
        let (_, rules) = text.split_once("\nNoNewPrivileges=yes\n").unwrap();
        rules.to_owned()
    };
    assert_eq!(rules("myim.service"), rules("myim-server@.service"));
    assert!(rules("myim.service").contains("SystemCallFilter=@system-service"));
}

#[test]
fn what_is_wrong_for_good_is_not_started_again() {
    let text = unit("myim.service");
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("RestartPreventExitStatus="));
    let for_good: Vec<i32> = line
        .unwrap()
        .split(' ')
        .map(|code| code.parse().unwrap())
        .collect();
    let ends_with = |setup: &Setup| {
        let mut programs = setup.start_unready();
        let program = programs.remove(0);
        program.wait(PROCESS_PATIENCE).code().unwrap()
    };
    let wrong = Setup::new(Kind::Whole, Db::Sqlite).chat_flag("--drain-s", "soon");
    assert!(for_good.contains(&ends_with(&wrong)), "a wrong setting");
    let damaged = Setup::new(Kind::Whole, Db::Sqlite);
    fs::create_dir(damaged.data_dir()).unwrap();
    fs::write(damaged.data_dir().join("myim.db"), [7; 8192]).unwrap();
    assert!(for_good.contains(&ends_with(&damaged)), "no database");
    // Somebody may go away, and leave the port or the database to others.
    let server = Server::sqlite();
    assert!(!for_good.contains(&ends_with(server.setup())), "in use");
}
