//! What an original installation left behind: opened in place, or imported.

use std::sync::Arc;
use std::time::Duration;

use myim_tests::mariadb::Database;
use myim_tests::person::Person;
use myim_tests::process::{self, Process};
use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::wire::Flavor;
use serde_json::json;

/// A database as the original's code makes it, with two friends, a group and a message.
fn original() -> Database {
    let shared = Database::shared();
    create_tables(&shared);
    fill_tables(&shared);
    shared
}

fn create_tables(shared: &Database) {
    let name = shared.name().to_owned();
    let statement = |text: &str| text.replace("DB.", &format!("`{name}`."));
    shared.run(&[
        format!("CREATE DATABASE `{name}` DEFAULT CHARACTER SET utf8"),
        statement(
            "CREATE TABLE DB.t_user (f_id bigint NOT NULL AUTO_INCREMENT, f_user_id bigint NOT \
             NULL, f_username varchar(64) NOT NULL, f_nickname varchar(64) NOT NULL, f_password \
             varchar(64) NOT NULL, f_facetype int DEFAULT 0, f_customface varchar(32) DEFAULT \
             NULL, f_customfacefmt varchar(6) DEFAULT NULL, f_gender int DEFAULT 0, f_birthday \
             bigint DEFAULT 19900101, f_signature varchar(256) DEFAULT NULL, f_address \
             varchar(256) DEFAULT NULL, f_phonenumber varchar(64) DEFAULT NULL, f_mail \
             varchar(256) DEFAULT NULL, f_owner_id bigint DEFAULT 0, f_register_time datetime NOT \
             NULL, f_remark varchar(64) DEFAULT NULL, f_update_time timestamp NOT NULL DEFAULT \
             CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, f_teaminfo blob, PRIMARY KEY \
             (f_user_id), KEY f_id (f_id)) ENGINE=InnoDB DEFAULT CHARSET=utf8",
        ),
        statement(
            "CREATE TABLE DB.t_user_relationship (f_id bigint NOT NULL AUTO_INCREMENT, f_user_id1 \
             bigint NOT NULL, f_user_id2 bigint NOT NULL, f_user1_teamname varchar(32) NOT NULL \
             DEFAULT 'My Friends', f_user1_markname varchar(32) DEFAULT NULL, f_user2_teamname \
             varchar(32) NOT NULL DEFAULT 'My Friends', f_user2_markname varchar(32) DEFAULT NULL, \
             f_update_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP, f_remark varchar(64) \
             DEFAULT NULL, PRIMARY KEY (f_id)) ENGINE=InnoDB DEFAULT CHARSET=utf8",
        ),
        statement(
            "CREATE TABLE DB.t_chatmsg (f_id bigint NOT NULL AUTO_INCREMENT, f_senderid bigint \
             NOT NULL, f_targetid bigint NOT NULL, f_msgcontent blob NOT NULL, f_create_time \
             timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP, f_remark varchar(64) DEFAULT NULL, \
             PRIMARY KEY (f_id)) ENGINE=InnoDB DEFAULT CHARSET=utf8",
        ),
    ]);
}

fn fill_tables(shared: &Database) {
    let name = shared.name().to_owned();
    let statement = |text: &str| text.replace("DB.", &format!("`{name}`."));
    shared.run(&[
        statement(
            "INSERT INTO DB.t_user (f_user_id, f_username, f_nickname, f_password, \
             f_register_time, f_teaminfo) VALUES (7, 'old', 'Alt', 'plain', NOW(), \
             '[{\"members\":[],\"teamname\":\"My Friends\"},{\"members\":[],\"teamname\":\"Work\"}]'), \
             (9, 'friend', 'Freund', 'plain2', NOW(), NULL), \
             (268435456, '268435456', 'Group', '', NOW(), NULL)",
        ),
        statement(
            "INSERT INTO DB.t_user_relationship (f_user_id1, f_user_id2, f_user1_teamname, \
             f_user1_markname) VALUES (7, 9, 'Work', 'Buddy'), (7, 9, 'Work', 'Buddy'), \
             (7, 268435456, 'My Friends', NULL)",
        ),
        statement("INSERT INTO DB.t_chatmsg (f_senderid, f_targetid, f_msgcontent) VALUES \
                   (7, 9, '{\"content\":[]}')"),
    ]);
}

/// The people, their contacts and their numbers are as they were.
fn everything_is_there(server: &Server) {
    let mut old = Person::login(server.peer(Flavor::Pc), "old", "plain");
    assert_eq!(old.id, 7);
    assert_eq!(old.teams(), ["My Friends", "Work"]);
    let (team, friend) = old.member(9).expect("the friend was kept");
    assert_eq!(
        (team.as_str(), &friend["markname"]),
        ("Work", &json!("Buddy"))
    );
    assert!(old.member(268_435_456).is_some());
    assert_eq!(old.members().len(), 2, "the doubled relation is one");
}

/// New accounts and groups come behind the old ones.
fn numbering_goes_on(server: &Server) {
    let mut new = server.join("new", Flavor::Pc);
    assert_eq!(new.id, 10);
    assert_eq!(new.create_group("g"), 268_435_457);
}

#[test]
fn an_original_database_opens_in_place() {
    let shared = Arc::new(original());
    let mut server = Setup::with_database(Kind::Whole, Some(Arc::clone(&shared))).start();
    for _ in 0..2 {
        everything_is_there(&server);
        server.stop();
        server.again();
    }
    // The plain password is gone.
    let stored = shared.read("SELECT f_password FROM t_user WHERE f_user_id = 7");
    assert_ne!(stored, ["plain"]);
    numbering_goes_on(&server);
}

fn import(setup: &Setup, from: &Database, to: &[&str]) -> Process {
    let mut command = process::command("myim", setup.directory());
    command.args(["import", "flamingo", "--from", &from.url()]);
    command.arg("--data-dir").arg(setup.data_dir()).args(to);
    let process = Process::spawn(&mut command);
    process.wait(Duration::from_secs(60));
    process
}

#[test]
fn an_original_database_is_imported_into_sqlite() {
    let from = original();
    let setup = Setup::new(Kind::Whole, Db::Sqlite);
    let imported = import(&setup, &from, &[]);
    assert!(
        imported.wait(Duration::ZERO).success(),
        "{}",
        imported.story()
    );
    assert!(
        !import(&setup, &from, &[]).wait(Duration::ZERO).success(),
        "only into an empty one"
    );
    let server = setup.start();
    everything_is_there(&server);
    numbering_goes_on(&server);
    let kept = from.read("SELECT f_password FROM t_user WHERE f_user_id = 7");
    assert_eq!(kept, ["plain"], "the original is only read");
}

#[test]
fn an_original_database_is_imported_into_another() {
    let (from, to) = (original(), Arc::new(Database::shared()));
    let setup = Setup::with_database(Kind::Separate, Some(Arc::clone(&to)));
    let imported = import(&setup, &from, &["--database", &to.url()]);
    assert!(
        imported.wait(Duration::ZERO).success(),
        "{}",
        imported.story()
    );
    let server = setup.start();
    everything_is_there(&server);
    numbering_goes_on(&server);
}
