//! One step on the way of a message or of a file goes wrong, each in turn: the disk reports an error,
//! or finds no room; or the system interrupts a call, or writes half of the bytes. What was answered
//! is true, also after a kill, and nobody sees anything half.
//!
//! Interruptions and short writes are nothing that anybody hears of.

use std::fs;

use myim_tests::courier::Reply;
use myim_tests::faults::{Fault, Spoilt};
use myim_tests::files::sha256;
use myim_tests::transfer::content;

use super::ended_by_the_disk;
use super::kills::strike_chosen;
use super::rig::{FILE_BYTES, Rig, json_of, shown};

/// So many steps of each path are struck everyday.
const USUAL: u64 = 3;

/// What whoever asked was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// It is there.
    Done,
    /// It is not there.
    NotDone,
    /// Nobody knows.
    Unsure,
}

/// Spoils each of some steps of a path. `ask` asks for something that bears this number, and `look`
/// looks whether it is there; asked again after a kill, it is there once.
fn spoil_everywhere(
    what: &str,
    how: Spoilt,
    purpose: u64,
    ask: impl Fn(&Rig, u64) -> Option<Reply>,
    look: impl Fn(&Rig, u64) -> bool,
) {
    let what = format!("{what}, {how:?}");
    let mut rig = Rig::new(&what);
    let folder = rig
        .server
        .setup()
        .directory()
        .to_string_lossy()
        .into_owned();
    let spoil = |step| Fault::Spoil {
        how,
        step,
        within: &folder,
    };
    rig.faults.order(spoil(0));
    assert_eq!(told(ask(&rig, 0).as_ref()), Told::Done);
    rig.faults.over();
    let steps = rig.faults.steps();
    strike_chosen(&what, (USUAL, purpose), &steps, |step| {
        rig.faults.order(spoil(step));
        let reply = ask(&rig, step);
        rig.faults.over();
        let spoilt = rig.faults.steps().into_iter().nth(index(step));
        let Some(spoilt) = spoilt else {
            return false;
        };
        let told = told(reply.as_ref());
        eprintln!("{spoilt}: {told:?}");
        if matches!(how, Spoilt::Interrupted | Spoilt::Short) {
            assert_eq!(told, Told::Done, "{spoilt}: {}", shown(&reply.unwrap()));
        }
        let is_true = |rig: &Rig, when: &str| match told {
            Told::Done => assert!(look(rig, step), "{spoilt}: acknowledged, and gone {when}"),
            Told::NotDone => assert!(!look(rig, step), "{spoilt}: refused, and there {when}"),
            Told::Unsure => drop(look(rig, step)),
        };
        // Whether the database has what it took is not known any more then; see `syncs`.
        if spoilt.contains("sync") && spoilt.contains("myim.db") {
            assert_ne!(told, Told::NotDone, "{spoilt}: nobody can know");
            ended_by_the_disk(&rig);
        } else {
            is_true(&rig, "at once");
            rig.server.kill();
            rig.has_crashed(&what);
        }
        rig.again();
        is_true(&rig, "after a kill");
        nothing_lies_around(&rig);
        let again = ask(&rig, step);
        assert_eq!(
            self::told(again.as_ref()),
            Told::Done,
            "{spoilt}, once more"
        );
        assert!(look(&rig, step), "{spoilt}, once more");
        true
    });
    rig.judge();
}

fn index(step: u64) -> usize {
    usize::try_from(step - 1).unwrap()
}

/// Nobody is left without an answer, and no answer is vague.
fn told(reply: Option<&Reply>) -> Told {
    let reply = reply.expect("everybody is answered");
    let problem = json_of(reply);
    let is_unsure = || {
        let words = problem["detail"].as_str();
        words.is_some_and(|words| words.contains("did not say"))
    };
    match (reply.status, problem["code"].as_str()) {
        (200 | 201, _) => Told::Done,
        (503, Some("storage_unavailable")) if is_unsure() => Told::Unsure,
        (503, Some("storage_unavailable")) | (507, Some("disk_full")) => Told::NotDone,
        _ => panic!("{}", shown(reply)),
    }
}

/// Of uploads that failed nothing is left behind a start.
fn nothing_lies_around(rig: &Rig) {
    let folders = fs::read_dir(rig.server.setup().filecache().join("tmp")).unwrap();
    let folders = folders.map(|entry| entry.unwrap().path());
    for folder in folders.filter(|path| path.is_dir()) {
        let left: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left, ["lock"]);
    }
}

fn messages(how: Spoilt, purpose: u64) {
    let name = |step: u64| format!("message-{step}");
    spoil_everywhere(
        "a message",
        how,
        purpose,
        |rig, step| rig.try_say(&name(step)),
        |rig, step| rig.said().contains(&name(step)),
    );
}

fn uploads(how: Spoilt, purpose: u64) {
    spoil_everywhere(
        "an upload",
        how,
        purpose,
        |rig, step| rig.try_upload(5000 + step),
        |rig, step| {
            let bytes = content(FILE_BYTES, 5000 + step);
            let files = rig.server.files().with_token(&rig.ann.token);
            let answer = files.get(&sha256(&bytes));
            if answer.status == 200 {
                assert!(answer.body == bytes, "not what was uploaded");
                return true;
            }
            answer.refused(404, "no_such_file");
            false
        },
    );
}

#[test]
fn a_message_while_the_disk_reports_errors() {
    messages(Spoilt::Failed, 61);
}

#[test]
fn a_message_while_the_disk_finds_no_room() {
    messages(Spoilt::WithoutRoom, 62);
}

#[test]
fn a_message_while_calls_are_interrupted() {
    messages(Spoilt::Interrupted, 63);
}

#[test]
fn a_message_while_writes_are_short() {
    messages(Spoilt::Short, 64);
}

#[test]
fn an_upload_while_the_disk_reports_errors() {
    uploads(Spoilt::Failed, 65);
}

#[test]
fn an_upload_while_the_disk_finds_no_room() {
    uploads(Spoilt::WithoutRoom, 66);
}

#[test]
fn an_upload_while_calls_are_interrupted() {
    uploads(Spoilt::Interrupted, 67);
}

#[test]
fn an_upload_while_writes_are_short() {
    uploads(Spoilt::Short, 68);
}
