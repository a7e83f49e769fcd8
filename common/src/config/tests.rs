//! Tests of the layers, with the settings of the real programs.

use super::super::{Access, ByteSize, CHAT_DEFAULTS, FILE_DEFAULTS, SUITE_DEFAULTS};
use super::*;

const CHAT: About = About {
    name: "mychatserver",
    text: "Test.",
    defaults: CHAT_DEFAULTS,
};
const FILE: About = About {
    name: "myfileserver",
    text: "Test.",
    defaults: FILE_DEFAULTS,
};
const SUITE: About = About {
    name: "myim serve",
    text: "Test.",
    defaults: SUITE_DEFAULTS,
};

/// Loads with these flags, variables and file.
fn try_load<T: Program>(
    about: About,
    flags: &[&str],
    variables: &[(&str, &str)],
    file: &str,
) -> Result<Loaded<T>, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("myim.toml");
    std::fs::write(&path, file).unwrap();
    let mut args: Vec<OsString> = flags.iter().map(OsString::from).collect();
    args.extend(["--config".into(), path.into()]);
    let environment: Vec<_> = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), OsString::from(value)))
        .collect();
    load_from(about, &args, &environment)
}

fn suite(flags: &[&str], variables: &[(&str, &str)], file: &str) -> SuiteConfig {
    match try_load(SUITE, flags, variables, file).unwrap() {
        Loaded::Run(config) => config,
        Loaded::Print(text) => panic!("{text}"),
    }
}

fn mistake(flags: &[&str], variables: &[(&str, &str)], file: &str) -> String {
    try_load::<SuiteConfig>(SUITE, flags, variables, file)
        .unwrap_err()
        .to_string()
}

#[test]
fn every_layer_wins_over_the_one_below() {
    let port = |flags: &[&str], variables: &[(&str, &str)], file: &str| {
        suite(flags, variables, file).chat_port
    };
    let variable = [("MYIM_CHAT_PORT", "3")];
    assert_eq!(port(&[], &[], ""), 20000);
    assert_eq!(port(&[], &[], "chat_port = 2"), 2);
    assert_eq!(port(&[], &variable, "chat_port = 2"), 3);
    assert_eq!(port(&["--chat-port", "4"], &variable, "chat_port = 2"), 4);
    assert_eq!(port(&[], &[("MYIM_CHAT_PORT", "")], "chat_port = 2"), 2);
}

#[test]
fn a_certificate_and_the_admin_port_can_stand_in_any_layer() {
    let file = "tls_cert = \"a.pem\"\ntls_key = \"b.pem\"\nadmin_port = 7";
    let tls = |config: SuiteConfig| (config.tls.tls_cert, config.tls.tls_key);
    let both = (Some("a.pem".into()), Some("b.pem".into()));
    assert_eq!(tls(suite(&[], &[], file)), both);
    let variables = [("MYIM_TLS_CERT", "a.pem"), ("MYIM_TLS_KEY", "b.pem")];
    assert_eq!(tls(suite(&[], &variables, "")), both);
    let admin = |flags: &[&str], file: &str| suite(flags, &[], file).admin.address();
    assert_eq!(admin(&[], ""), "127.0.0.1:20010".parse().ok());
    assert_eq!(admin(&[], file), "127.0.0.1:7".parse().ok());
    assert_eq!(admin(&["--admin-port", "off"], file), None);
    assert_eq!(admin(&[], "admin_port = \"off\""), None);
    let wrong = mistake(&[], &[("MYIM_ADMIN_PORT", "on")], "");
    assert!(
        wrong.contains("MYIM_ADMIN_PORT") && wrong.contains("off"),
        "{wrong}"
    );
}

#[test]
fn the_file_can_be_named_by_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("myim.toml");
    std::fs::write(&path, "file_port = 7").unwrap();
    let environment = [("MYIM_CONFIG".to_owned(), path.into())];
    let Loaded::Run(config) = load_from::<SuiteConfig>(SUITE, &[], &environment).unwrap() else {
        panic!("nobody asked to print");
    };
    assert_eq!(config.file_port, 7);
}

#[test]
fn an_unknown_setting_is_told_with_the_nearest_right_one() {
    let text = mistake(&[], &[], "chat_prot = 2");
    assert!(text.contains("myim.toml"), "{text}");
    assert!(
        text.contains("chat_prot; did you mean chat_port?"),
        "{text}"
    );
    let text = mistake(&[], &[("MYIM_FILE_CASHE", "x")], "");
    assert!(
        text.contains("MYIM_FILE_CASHE; did you mean MYIM_FILECACHE?"),
        "{text}"
    );
    let text = mistake(&["--chat-prot", "2"], &[], "");
    assert!(text.contains("--chat-port"), "{text}");
    let text = mistake(&[], &[], "qqq = 2");
    assert!(text.contains("--help"), "{text}");
}

#[test]
fn settings_of_another_program_and_of_tests_are_no_mistake() {
    let variables = [("MYIM_DATA_DIR", "5"), ("MYIM_TEST_ANYTHING", "x")];
    let loaded =
        try_load::<ServerConfig<ChatConfig>>(CHAT, &[], &variables, "filecache = \"x\"").unwrap();
    assert!(matches!(loaded, Loaded::Run(config) if config.port == 20000));
}

#[test]
fn a_port_of_another_program_is_a_mistake() {
    let text = mistake(&[], &[], "port = 5");
    assert!(
        text.contains("did you mean ") && text.contains("_port?"),
        "{text}"
    );
    let chat = try_load::<ServerConfig<ChatConfig>>(CHAT, &[], &[("MYIM_CHAT_PORT", "5")], "");
    let text = chat.unwrap_err().to_string();
    assert!(text.contains("did you mean MYIM_PORT?"), "{text}");
}

#[test]
fn a_bad_value_is_told_with_its_place_and_what_is_allowed() {
    let text = mistake(&[], &[], "chat_port = 70000");
    assert!(text.contains("myim.toml: chat_port = \"70000\""), "{text}");
    assert!(text.contains("0 to 65535"), "{text}");
    let text = mistake(&[], &[("MYIM_ACCESS", "all")], "");
    assert!(text.contains("environment: MYIM_ACCESS"), "{text}");
    assert!(
        text.contains("open") && text.contains("known-address"),
        "{text}"
    );
    let text = mistake(&[], &[], "upload_bytes_max = \"many\"");
    assert!(text.contains("4GiB"), "{text}");
    let text = mistake(&[], &[], "login_timeout_s = 0");
    assert!(text.contains("from 1"), "{text}");
    let text = mistake(&[], &[], "chat_port = [1]");
    assert!(text.contains("chat_port"), "{text}");
    let text = mistake(&[], &[], "chat_port 1");
    assert!(text.contains("myim.toml"), "{text}");
    let text = mistake(&["--drain-s", "60"], &[], "");
    assert!(text.contains("0 to 9"), "{text}");
}

#[test]
fn the_settings_are_printed_without_passwords_and_can_be_read_again() {
    let file = "database = \"mysql://ann:secret@db/myim\"\nupload_bytes_max = \"5GiB\"\n\
                accept_weak_durability = true\nmonitor_port = 8888";
    let Loaded::Print(text) =
        try_load::<SuiteConfig>(SUITE, &["--print-config"], &[], file).unwrap()
    else {
        panic!("asked to print");
    };
    assert!(!text.contains("secret"), "{text}");
    let again = suite(&[], &[], &text);
    assert_eq!(again.transfer.upload_bytes_max, ByteSize(5 << 30));
    assert_eq!(again.chat.monitor_port, Some(8888));
    assert!(again.database().accept_weak_durability);
    assert!(text.contains("mysql://ann:***@db/myim"), "{text}");
    let shown = format!("{:?}", suite(&[], &[], file));
    assert!(!shown.contains("secret"), "{shown}");
}

#[test]
fn the_embedded_database_lies_in_the_data_directory() {
    let config = suite(&["--data-dir", "/srv/im"], &[], "");
    assert_eq!(config.database().shown(), "sqlite:/srv/im/myim.db");
    let Loaded::Print(text) = try_load::<SuiteConfig>(SUITE, &["--print-config"], &[], "").unwrap()
    else {
        panic!("asked to print");
    };
    assert!(
        text.contains("database = \"sqlite:./data/myim.db\""),
        "{text}"
    );
}

#[test]
fn the_separate_servers_have_their_ports_and_the_common_database() {
    let Loaded::Run(config) =
        try_load::<ServerConfig<TransferConfig>>(FILE, &["--connections-max", "9"], &[], "")
            .unwrap()
    else {
        panic!("nobody asked to print");
    };
    assert_eq!(config.address().to_string(), "0.0.0.0:20001");
    assert_eq!(config.database.shown(), "mysql://root@127.0.0.1:3306/myim");
    assert_eq!(config.server.access, Access::KnownAddress);
    assert_eq!(config.server.limits.connections().total_max, 9);
}

#[test]
fn help_names_flag_variable_and_default() {
    let text = mistake(&["--help"], &[], "");
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        line.contains("--chat-port <N> Port of the chat server; 0 takes any free one [env: MYIM_CHAT_PORT] [default: 20000]"),
        "{text}"
    );
    assert!(text.contains("--print-config"), "{text}");
}

#[test]
fn a_password_in_a_wrong_flag_is_not_shown() {
    let text = mistake(&["--database", "postgres://a:secret@b/c"], &[], "");
    assert!(text.contains("postgres://a:***@b/c"), "{text}");
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn commands_are_well_formed() {
    command::<SuiteConfig>(SUITE).debug_assert();
    command::<ServerConfig<ChatConfig>>(CHAT).debug_assert();
    command::<ServerConfig<TransferConfig>>(FILE).debug_assert();
    let chat = ChatConfig::default();
    assert_eq!(chat.message_bytes_max.in_memory(), 64_000);
    assert_eq!(TransferConfig::default().limits, chat.limits);
}

#[test]
fn each_setting_in_force_tells_where_it_comes_from() {
    let file = "file_port = 7\nimage_port = 8\nlog = \"warn\"\n\
                database = \"mysql://ann:secret@db/myim\"";
    let variables = [("MYIM_IMAGE_PORT", "9"), ("MYIM_LOG", "error")];
    let config = suite(&["--log", "debug"], &variables, file);
    let find = |name: &str| {
        let mut all = config.chat.in_force.iter();
        let found = all.find(|setting| setting.name == name).unwrap();
        let value = found.value.as_ref().map(ToString::to_string);
        (value.unwrap_or_default(), found.origin)
    };
    assert_eq!(find("chat_port"), ("20000".to_owned(), Origin::Default));
    assert_eq!(find("file_port"), ("7".to_owned(), Origin::File));
    assert_eq!(find("image_port"), ("9".to_owned(), Origin::Environment));
    assert_eq!(find("log"), ("\"debug\"".to_owned(), Origin::Flag));
    let database = ("\"mysql://ann:***@db/myim\"".to_owned(), Origin::File);
    assert_eq!(find("database"), database);
    assert_eq!(find("public_url"), (String::new(), Origin::Default));
    assert!(!format!("{:?}", config.chat.in_force).contains("secret"));
}
