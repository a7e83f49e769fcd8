//! Every screenplay in `tests/scenarios`, with each flavor of client, on each database.

use std::fs;
use std::path::Path;

use myim_tests::scenario::{Cast, Protocol, parse, perform};
use myim_tests::server::Server;
use myim_tests::wire::Flavor;

const PC: Cast = Cast::All(Protocol::Flamingo(Flavor::Pc));
const ANDROID: Cast = Cast::All(Protocol::Flamingo(Flavor::Android));
const WEBSOCKET: Cast = Cast::All(Protocol::WebSocket);
const OLD_AND_NEW: Cast = Cast::Mixed(Protocol::Flamingo(Flavor::Pc));
const NEW_AND_OLD: Cast = Cast::Mixed(Protocol::WebSocket);

fn play(text: &str, server: Server, cast: Cast) {
    let play = parse(text).unwrap_or_else(|problem| panic!("{problem}"));
    perform(&play, server, cast);
}

macro_rules! plays {
    (anybody: $($name:ident),* $(,)?; written: $($fixed:ident),* $(,)?) => {
        const NAMES: &[&str] = &[$(stringify!($name),)* $(stringify!($fixed)),*];
        $(mod $name {
            const TEXT: &str =
                include_str!(concat!("../../scenarios/", stringify!($name), ".scn"));
            use super::{ANDROID, NEW_AND_OLD, OLD_AND_NEW, PC, Server, WEBSOCKET, play};

            #[test]
            fn pc_on_sqlite() {
                play(TEXT, Server::sqlite(), PC);
            }
            #[test]
            fn android_on_sqlite() {
                play(TEXT, Server::sqlite(), ANDROID);
            }
            #[test]
            fn websocket_on_sqlite() {
                play(TEXT, Server::sqlite(), WEBSOCKET);
            }
            #[test]
            fn old_and_new_on_sqlite() {
                play(TEXT, Server::sqlite(), OLD_AND_NEW);
            }
            #[test]
            fn new_and_old_on_sqlite() {
                play(TEXT, Server::sqlite(), NEW_AND_OLD);
            }
            #[test]
            fn pc_on_mariadb() {
                play(TEXT, Server::mariadb(), PC);
            }
            #[test]
            fn android_on_mariadb() {
                play(TEXT, Server::mariadb(), ANDROID);
            }
            #[test]
            fn websocket_on_mariadb() {
                play(TEXT, Server::mariadb(), WEBSOCKET);
            }
            #[test]
            fn old_and_new_on_mariadb() {
                play(TEXT, Server::mariadb(), OLD_AND_NEW);
            }
            #[test]
            fn new_and_old_on_mariadb() {
                play(TEXT, Server::mariadb(), NEW_AND_OLD);
            }
        })*
        $(mod $fixed {
            const TEXT: &str =
                include_str!(concat!("../../scenarios/", stringify!($fixed), ".scn"));
            use super::{PC, Server, play};

            #[test]
            fn on_sqlite() {
                play(TEXT, Server::sqlite(), PC);
            }
            #[test]
            fn on_mariadb() {
                play(TEXT, Server::mariadb(), PC);
            }
        })*
    };
}

// A play whose cast says `any` is performed by every kind of client; one that names each device's
// protocol as it is written.
plays! {
    anybody:
    asked_while_away,
    both_write,
    contacts_in_order,
    faces_and_files,
    friendship,
    group_life,
    kicked,
    left_group,
    many_at_once,
    offline_and_killed,
    pictures,
    presence,
    second_device,
    unfriended;
    written:
    asked_with_a_note,
    blocked,
    changed_in_a_group,
    group_new_and_old,
    laptop_and_phone,
    nudged,
    recalled_and_edited,
}

#[test]
fn every_play_is_performed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(
            NAMES.contains(&name.as_str()),
            "add {name} to the list above"
        );
    }
}
