//! The rules of the code that a program can check: who may open sockets, speak SQL, read a clock.
//!
//! Looks at text, not at meaning: a rule that needs an exception has it here, with its reason.

use std::fs;
use std::path::{Path, PathBuf};

/// A text file of the project.
#[derive(Debug)]
struct Source {
    /// From the project's root, with slashes.
    path: String,
    text: String,
}

fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package
        .parent()
        .expect("tests/ stands in the root")
        .to_owned()
}

/// Directories with nothing that anybody wrote.
const NOT_OURS: [&str; 5] = ["target", ".git", "data", "filecache", "node_modules"];

fn sources(wanted: impl Fn(&str) -> bool) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if NOT_OURS.contains(&name.as_str()) || path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if wanted(&name) {
                let relative = path.strip_prefix(root()).unwrap();
                // What is not UTF-8 is no text.
                if let Ok(text) = fs::read_to_string(&path) {
                    let path = relative.to_string_lossy().replace('\\', "/");
                    found.push(Source { path, text });
                }
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn rust_files() -> Vec<Source> {
    sources(|name| name.ends_with(".rs"))
}

/// Files whose first words are these may do what the rule forbids others; and so may tests.
fn may(source: &Source, folders: &[&str]) -> bool {
    let name = source.path.rsplit('/').next().unwrap_or_default();
    let test = source.path.contains("/tests/")
        || name == "testing.rs"
        || name == "tests.rs"
        || name.ends_with("_tests.rs");
    test || folders.iter().any(|folder| source.path.starts_with(folder))
}

/// A line without its comment.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

/// Fails with a list of the places where a forbidden word stands in code.
fn nowhere(words: &[&str], allowed: &[&str], why: &str) {
    let mut places = Vec::new();
    for source in rust_files().iter().filter(|source| !may(source, allowed)) {
        for (number, line) in source.text.lines().enumerate() {
            if let Some(word) = words.iter().find(|word| code(line).contains(**word)) {
                places.push(format!("{}:{}: {word}", source.path, number + 1));
            }
        }
    }
    assert!(places.is_empty(), "{why}\n{}", places.join("\n"));
}

#[test]
fn sql_stands_only_in_the_store() {
    nowhere(
        &[
            "SELECT ",
            "INSERT INTO",
            "DELETE FROM",
            "UPDATE t_",
            "CREATE TABLE",
            "ALTER TABLE",
        ],
        &["common/src/store/", "client/src/store/", "tests/"],
        "SQL stands only under store/",
    );
    nowhere(
        &["rusqlite", "mysql_async"],
        &["common/src/store/", "client/src/store/", "tests/"],
        "database drivers are known only under store/",
    );
}

#[test]
fn sockets_are_opened_only_in_net_and_client() {
    nowhere(
        &["TcpStream", "TcpListener", "UdpSocket", "UnixStream"],
        &["common/src/net/", "client/", "tests/", "bench/"],
        "sockets stand only under common/src/net/ and client/",
    );
}

#[test]
fn pictures_are_decoded_in_workers_only() {
    // Nothing that decodes goes without one.
    nowhere(
        &["Halt"],
        &[
            "image-server/src/picture/",
            "image-server/src/worker/",
            "bench/",
        ],
        "the server's own process decodes no picture",
    );
}

#[test]
fn one_place_reads_the_wall_clock() {
    nowhere(
        &["SystemTime::now"],
        &["common/src/clock.rs", "tests/tests/all/tidy.rs"],
        "the wall clock is read only in common/src/clock.rs",
    );
}

#[test]
fn one_place_reads_the_environment() {
    nowhere(
        &["env::var", "env::set_var", "env::remove_var"],
        // Examples are programs of somebody else, small ones. Tests are told how long to go on. The
        // benchmarks look for the programs of others.
        &[
            "bench/",
            "common/src/config",
            "tests/",
            "client/examples/",
            "chat-server/src/simulation/",
        ],
        "the environment is read only in common/src/config",
    );
}

#[test]
fn every_channel_has_a_bound() {
    nowhere(
        &[
            "unbounded_channel",
            "mpsc::channel()",
            "UnboundedSender",
            "UnboundedReceiver",
        ],
        &["tests/tests/all/tidy.rs"],
        "every queue has a bound",
    );
}

#[test]
fn the_wire_does_no_input_or_output() {
    let forbidden = ["tokio::", "std::fs", "std::net", "std::thread", ".await"];
    for source in rust_files() {
        if source.path.starts_with("common/src/wire/") && !may(&source, &[]) {
            for line in source.text.lines().map(code) {
                for word in forbidden {
                    assert!(!line.contains(word), "{}: {line}", source.path);
                }
            }
        }
    }
}

#[test]
fn flamingo_names_stay_in_their_folders() {
    nowhere(
        &["clienttype", "teaminfo\"", "onlinestatus", "customface\""],
        &[
            "common/src/wire/",
            "common/src/store/",
            "chat-server/src/protocol/",
            "chat-server/src/monitor.rs",
            "client/src/",
            "tests/",
            "bench/",
            "myim/",
        ],
        "Flamingo's names stand only under wire/, protocol/flamingo/ and in the client",
    );
}

#[test]
fn every_file_says_what_it_is() {
    for source in rust_files() {
        let first = source.text.lines().next().unwrap_or_default();
        assert!(
            first.starts_with("//! "),
            "{}: the first line says what it is",
            source.path
        );
        assert!(
            !first.contains("Placeholder"),
            "{} is still to be written",
            source.path
        );
    }
}

/// Files that are one long table, or one long contract.
const LONG: [&str; 0] = [];

#[test]
fn no_file_is_too_long() {
    for source in rust_files() {
        let lines = source.text.lines().count();
        let fine = lines <= 600 || LONG.contains(&source.path.as_str());
        assert!(
            fine,
            "{} has {lines} lines: what are its two halves called?",
            source.path
        );
    }
}

#[test]
fn words_that_nobody_wants_to_read() {
    // Put together here, so that this file does not contain them.
    let unfinished = [
        "TO\u{200b}DO",
        "FIX\u{200b}ME",
        " XX\u{200b}X",
        "HA\u{200b}CK",
    ];
    let loose = [
        "dbg!\u{200b}(",
        "#[igno\u{200b}re",
        "unimple\u{200b}mented!",
        "to\u{200b}do!(",
    ];
    let words: Vec<_> = unfinished
        .iter()
        .chain(&loose)
        .map(|word| word.replace('\u{200b}', ""))
        .collect();
    for source in sources(|name| {
        [".rs", ".toml", ".sql", ".scn", ".md", "test"]
            .iter()
            .any(|end| name.ends_with(end))
    }) {
        for (number, line) in source.text.lines().enumerate() {
            for word in &words {
                assert!(
                    !line.contains(word),
                    "{}:{}: {word}",
                    source.path,
                    number + 1
                );
            }
        }
    }
}

#[test]
fn nothing_depends_on_one_machine() {
    // Paths of somebody's home or working directory.
    let paths = [
        "/wo\u{200b}rk/",
        "/ho\u{200b}me/",
        "/ro\u{200b}ot/",
        "/Us\u{200b}ers/",
    ];
    let paths = paths.map(|path| path.replace('\u{200b}', ""));
    for source in sources(|_| true) {
        if source.path.ends_with(".jsonl") || source.path == "Cargo.lock" {
            continue;
        }
        for (number, line) in source.text.lines().enumerate() {
            for path in &paths {
                assert!(
                    !line.contains(path),
                    "{}:{}: {path}",
                    source.path,
                    number + 1
                );
            }
        }
    }
}

#[test]
fn folders_and_files_have_names_that_say_something() {
    for source in rust_files() {
        for part in source.path.trim_end_matches(".rs").split('/') {
            for vague in [
                "utils", "util", "misc", "helpers", "helper", "manager", "types",
            ] {
                assert_ne!(part, vague, "{}", source.path);
            }
        }
    }
}

#[test]
fn nothing_asks_for_planted_bugs() {
    // The feature is passed on to the packages below and asked for by nobody: no default, no
    // dependency, no other feature.
    for source in sources(|name| name == "Cargo.toml") {
        for line in source.text.lines().filter(|line| line.contains("planted")) {
            let is_feature = line.starts_with("planted = [") || line.starts_with('#');
            assert!(is_feature, "{}: {line}", source.path);
        }
    }
    // Where a bug stands the compiler leaves it out: every use is right behind its condition.
    let name = "planted";
    for source in rust_files() {
        let lines: Vec<_> = source.text.lines().map(str::trim).collect();
        for (at, line) in lines.iter().enumerate() {
            let uses = code(line).contains(&format!("{name}::"));
            let inside = source.path.starts_with("tests/") || lines[at].starts_with("use ");
            if uses && !inside {
                let condition = lines[at - 1];
                let is_apart = condition == "#[cfg(feature = \"planted\")]";
                assert!(is_apart, "{}:{}: {line}", source.path, at + 1);
            }
        }
    }
}

/// So `prove machine` knows before a run of everything that will be left out.
#[test]
fn what_a_machine_lacks_is_known_in_one_place() {
    let allowed = [
        "tests/src/machine.rs",
        "tests/tests/all/tidy.rs",
        // What the kernel gave to a process of theirs, which nobody else can ask.
        "image-server/src/worker/confine/tests.rs",
        "image-server/tests/sandbox.rs",
    ];
    for source in rust_files() {
        let says = source.text.lines().map(code);
        let says = says.filter(|line| line.contains("NOT TESTED") || line.contains("\"CI\""));
        let is_allowed = allowed.contains(&source.path.as_str());
        assert!(is_allowed || says.count() == 0, "{}", source.path);
    }
}

#[test]
fn dependencies_point_down() {
    // What each package may see; nobody sees the tests.
    let allowed = [
        ("common", &[][..]),
        ("client", &["common"]),
        ("chat-server", &["common"]),
        ("file-server", &["common"]),
        ("image-server", &["common"]),
        (
            "myim",
            &[
                "common",
                "client",
                "chat-server",
                "file-server",
                "image-server",
            ],
        ),
    ];
    let all = [
        "common",
        "client",
        "chat-server",
        "file-server",
        "image-server",
        "myim",
    ];
    for (package, below) in allowed {
        let text = fs::read_to_string(root().join(package).join("Cargo.toml")).unwrap();
        let from = text.find("[dependencies]").expect("every package has some");
        let end = text[from + 1..]
            .find("\n[")
            .map_or(text.len(), |at| from + 1 + at);
        for line in text[from..end].lines() {
            let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
            let wrong = all.contains(&name) && !below.contains(&name);
            assert!(!wrong, "{package} must not depend on {name}");
        }
    }
}
