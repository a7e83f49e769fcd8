//! Every screenplay in `tests/scenarios`, with each flavor of client, on each database.

use std::fs;
use std::path::Path;

use myim_tests::scenario::{parse, perform};
use myim_tests::server::Server;
use myim_tests::wire::Flavor;

fn play(text: &str, server: Server, flavor: Flavor) {
    let play = parse(text).unwrap_or_else(|problem| panic!("{problem}"));
    perform(&play, server, flavor);
}

macro_rules! plays {
    ($($name:ident),* $(,)?) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];
        $(mod $name {
            const TEXT: &str =
                include_str!(concat!("../../scenarios/", stringify!($name), ".scn"));
            use super::{Flavor, Server, play};

            #[test]
            fn pc_on_sqlite() {
                play(TEXT, Server::sqlite(), Flavor::Pc);
            }
            #[test]
            fn android_on_sqlite() {
                play(TEXT, Server::sqlite(), Flavor::Android);
            }
            #[test]
            fn pc_on_mariadb() {
                play(TEXT, Server::mariadb(), Flavor::Pc);
            }
            #[test]
            fn android_on_mariadb() {
                play(TEXT, Server::mariadb(), Flavor::Android);
            }
        })*
    };
}

plays! {
    asked_while_away,
    both_write,
    contacts_in_order,
    friendship,
    group_life,
    kicked,
    left_group,
    many_at_once,
    offline_and_killed,
    pictures,
    presence,
    second_device,
    unfriended,
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
