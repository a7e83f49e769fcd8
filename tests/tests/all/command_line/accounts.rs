//! Signing in and out, and where the sign-ins are kept.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use myim_tests::api_person::text;
use myim_tests::person::password;
use myim_tests::process::program;
use myim_tests::server::Server;
use serde_json::{Value, json};

use super::{Machine, run};

fn credentials(machine: &Machine) -> std::path::PathBuf {
    machine.path().join("config/credentials.json")
}

#[test]
fn a_login_is_kept_for_its_owner_only() {
    let server = Server::sqlite();
    let id = server.sign_up("ann");
    let machine = Machine::of(&server, "ann");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&credentials(&machine)), 0o600);
    assert_eq!(mode(&machine.path().join("config")), 0o700);

    let me = machine.json(&["whoami"]);
    assert_eq!(me["account"], format!("ann@{}", machine.server));
    assert_eq!(me["user"]["id"], *id);

    // Others could take over the account: not even reading goes on.
    fs::set_permissions(credentials(&machine), fs::Permissions::from_mode(0o644)).unwrap();
    machine.run(&["whoami"]).ended(5).said("chmod 600 ");
    let ran = machine.run(&["whoami", "--json"]).ended(5);
    assert_eq!(ran.error(), "local");
}

#[test]
fn a_login_is_two_devices_that_are_known_again() {
    let server = Server::sqlite();
    server.sign_up("ann");
    let machine = Machine::of(&server, "ann");
    machine.login("ann").done();
    let phone = server.sign_in("ann", "phone");
    let sessions = phone.get("/sessions").ok(200);
    let mut names: Vec<_> = sessions["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| text(&one["name"]))
        .collect();
    names.sort();
    assert_eq!(names, ["command line", "phone", "terminal client"]);
}

#[test]
fn the_password_comes_from_a_file_or_standard_input_and_never_from_the_line() {
    let server = Server::sqlite();
    server.sign_up("ann");
    let machine = Machine::new(&server);
    machine.file("secret", format!("{}\n", password("ann")));
    let login = ["login", &machine.server, "ann"];
    let from_file = [&login[..], &["--password-file", "secret"]].concat();
    machine.run(&from_file).done();
    // Nobody can be asked here.
    machine.run(&login).ended(2).said("--password-file");
    let as_flag = [&login[..], &["--password", "x"]].concat();
    machine.run(&as_flag).ended(2);
    let missing = [&login[..], &["--password-file", "nowhere"]].concat();
    let ran = machine.run(&missing).ended(5);
    ran.said("the password file nowhere: ");
    let wrong = [&login[..], &["--password-file", "-", "--json"]].concat();
    let ran = machine.run_with(&wrong, "not it\n").ended(1);
    assert_eq!(ran.error(), "bad_credentials");
}

#[test]
fn the_terminal_does_not_show_what_is_typed_as_a_password() {
    let server = Server::sqlite();
    server.sign_up("ann");
    let machine = Machine::new(&server);
    let line = format!("{} login {} ann", program("myim").display(), machine.server);
    // `script` gives it a terminal, and prints what the terminal shows.
    let mut child = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .env("MYIM_CONFIG_DIR", machine.path().join("config"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut keys, screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut screen = BufReader::new(screen);
    let mut shown = Vec::new();
    screen.read_until(b':', &mut shown).unwrap();
    writeln!(keys, "{}", password("ann")).unwrap();
    screen.read_to_end(&mut shown).unwrap();
    let shown = String::from_utf8_lossy(&shown);
    assert!(child.wait().unwrap().success(), "{shown}");
    assert!(shown.contains("Password:"), "{shown}");
    assert!(shown.contains("Signed in as ann@"), "{shown}");
    assert!(!shown.contains(&password("ann")), "{shown}");
}

#[test]
fn several_accounts_live_side_by_side() {
    let server = Server::sqlite();
    server.sign_up("ann");
    server.sign_up("bob");
    let machine = Machine::of(&server, "ann");
    machine.login("bob").done();
    let who = |args: &[&str]| text(&machine.json(args)["user"]["username"]);
    assert_eq!(who(&["whoami"]), "bob", "the last one");
    assert_eq!(who(&["whoami", "--account", "ann"]), "ann");
    let ann = format!("ann@{}", machine.server);
    assert_eq!(who(&["whoami", "--account", &ann]), "ann");
    let mut command = machine.command(&["whoami"]);
    command.env("MYIM_ACCOUNT", &ann);
    assert!(run(command, "").done().out.starts_with("ann@"));
    let all = machine.jsons(&["whoami", "--all"]);
    let current: Vec<_> = all.iter().map(|one| &one["current"]).collect();
    assert_eq!(current, [false, true]);
    machine.run(&["whoami", "--account", "cid"]).ended(4);
}

#[test]
fn a_token_of_the_environment_goes_before_the_file() {
    let server = Server::sqlite();
    server.sign_up("ann");
    let bob = server.newcomer("bob");
    let machine = Machine::of(&server, "ann");
    let who = |token: &str| {
        let mut command = machine.command(&["whoami", "--json"]);
        command.env("MYIM_TOKEN", token);
        command.env("MYIM_SERVER", &machine.server);
        run(command, "")
    };
    let shown: Value = serde_json::from_str(&who(&bob.token).done().out).unwrap();
    assert_eq!(shown["user"]["username"], "bob");
    let ran = who("v1.worthless").ended(4);
    assert_eq!(ran.error(), "unauthenticated");
    let mut command = machine.command(&["whoami"]);
    command.env("MYIM_TOKEN", &bob.token);
    run(command, "").ended(2).said("MYIM_SERVER");
}

#[test]
fn a_logout_ends_the_sessions_on_the_server() {
    let server = Server::sqlite();
    server.sign_up("ann");
    let machine = Machine::of(&server, "ann");
    let kept: Value = serde_json::from_slice(&fs::read(credentials(&machine)).unwrap()).unwrap();
    let account = &kept["accounts"][0];
    let tokens = ["command_line", "chat"].map(|device| text(&account[device]["token"]));
    assert_ne!(tokens[0], tokens[1]);
    for token in &tokens {
        server.api().with_token(token).get("/me").ok(200);
    }
    machine.run(&["logout"]).done();
    for token in &tokens {
        server
            .api()
            .with_token(token)
            .get("/me")
            .refused(401, "unauthenticated");
    }
    machine.run(&["whoami"]).ended(4).said("myim login");
    machine.run(&["logout"]).ended(4);
    let kept: Value = serde_json::from_slice(&fs::read(credentials(&machine)).unwrap()).unwrap();
    assert_eq!(kept["accounts"], json!([]));
}

#[test]
fn an_account_is_made_and_used() {
    let server = Server::sqlite();
    let machine = Machine::new(&server);
    let register = [
        "register",
        &machine.server,
        "cid",
        "--password-file",
        "-",
        "--json",
    ];
    let ran = machine.run_with(&register, "password of cid\n").done();
    let shown: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(shown["user"]["username"], "cid");
    let again = machine.run_with(&register, "password of cid\n").ended(1);
    assert_eq!(again.error(), "username_taken");
    machine.login("cid").done();
}
