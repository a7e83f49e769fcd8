//! A server is killed at each step with which it changes the disk or says something, on the way of a
//! message, of a file and of an account. What was answered is there, and what is asked again is done
//! once.

use myim_tests::courier::Reply;
use myim_tests::faults::Fault;
use myim_tests::files::{TUS, sha256};
use myim_tests::person::password;
use myim_tests::transfer::{Transfer, content, md5_name};
use myim_tests::wire::Flavor;
use serde_json::json;

use super::places;
use super::rig::{Rig, json_of, shown};

/// No path here has so many steps.
const STEPS_MAX: u64 = 500;

/// Plays a path once to count its steps, then strikes it at so many of them, or at each. `path` is
/// told whether it may be struck, and the number of the turn; struck or not, it ends in order.
fn strike_everywhere(what: &str, usual: u64, purpose: u64, path: impl Fn(&mut Rig, Turn)) {
    let mut rig = Rig::new(what);
    strike_all(what, (usual, purpose), &mut rig, path);
    rig.judge();
}

/// The same on a server that is prepared.
pub(super) fn strike_all(
    what: &str,
    choice: (u64, u64),
    rig: &mut Rig,
    path: impl Fn(&mut Rig, Turn),
) {
    path(rig, Turn { number: 0, step: 0 });
    let steps = rig.faults.steps();
    strike_chosen(what, choice, &steps, |step| turn(rig, &path, step));
}

/// Strikes a path that had these steps at so many of them, or at each; `turn` tells whether it was
/// struck.
pub(super) fn strike_chosen(
    what: &str,
    (usual, purpose): (u64, u64),
    steps: &[String],
    mut turn: impl FnMut(u64) -> bool,
) {
    let length = u64::try_from(steps.len()).unwrap();
    eprintln!("{what}: {length} steps\n{}", steps.join("\n"));
    assert!(length > 0, "nothing was counted");
    let chosen = places(usual, length, purpose);
    let is_each = chosen.len() == steps.len();
    let mut struck = 0;
    for step in &chosen {
        struck += u64::from(turn(*step));
    }
    // A path may be longer in another turn.
    let mut step = length;
    while is_each && step < STEPS_MAX {
        step += 1;
        if !turn(step) {
            break;
        }
        struck += 1;
    }
    assert!(step < STEPS_MAX, "the path does not end");
    eprintln!("{what}: struck {struck} times, at {chosen:?}");
    assert!(struck > 0, "it was never struck");
}

/// Which turn it is, and where it is struck.
#[derive(Clone, Copy)]
pub(super) struct Turn {
    pub(super) number: u64,
    pub(super) step: u64,
}

/// Whether it was struck.
fn turn(rig: &mut Rig, path: &impl Fn(&mut Rig, Turn), step: u64) -> bool {
    let pid = rig.server.program().pid();
    path(rig, Turn { number: step, step });
    rig.server.program().pid() != pid
}

impl Turn {
    /// Does something that is struck, or whose steps are counted.
    pub(super) fn strike(self, rig: &mut Rig, act: impl FnOnce(&mut Rig)) {
        if self.step == 0 {
            rig.faults.order(Fault::None);
            act(rig);
            rig.faults.over();
        } else {
            rig.strike(self.step, act);
        }
    }
}

#[test]
fn a_message() {
    strike_everywhere("a message", 8, 1, |rig, turn| {
        let name = format!("message-{}", turn.number);
        turn.strike(rig, |rig| drop(rig.try_say(&name)));
        if turn.step > 0 {
            rig.say(&name);
        }
    });
}

#[test]
fn an_upload() {
    strike_everywhere("an upload", 6, 2, |rig, turn| {
        let seed = 1000 + turn.number;
        turn.strike(rig, |rig| drop(rig.try_upload(seed)));
        if turn.step > 0 {
            rig.upload(seed);
        }
    });
}

/// Begins an upload by tus, and brings what there is of it to its end.
#[test]
fn a_resumable_upload() {
    strike_everywhere("a resumable upload", 5, 3, |rig, turn| {
        let bytes = content(60_000, 2000 + turn.number);
        let mut place = None;
        turn.strike(rig, |rig| {
            place = begin(rig, bytes.len());
            if let Some(place) = &place {
                drop(put(rig, place, 0, &bytes));
            }
        });
        if turn.step == 0 {
            return;
        }
        let place = place.unwrap_or_else(|| begin(rig, bytes.len()).expect("it runs"));
        let told = ask(rig, ("HEAD", &place), &[], b"").expect("it runs");
        assert_eq!(told.status, 200, "{told:?}");
        let offset: usize = told.header("upload-offset").unwrap().parse().unwrap();
        if offset < bytes.len() {
            let reply = put(rig, &place, offset, &bytes).expect("it runs");
            assert_eq!(reply.status, 204, "{}", shown(&reply));
        }
        let told = ask(rig, ("HEAD", &place), &[], b"").expect("it runs");
        assert_eq!(told.header("myim-file"), Some(&*sha256(&bytes)), "{told:?}");
        rig.has_uploaded(&bytes);
    });
}

fn ask(rig: &Rig, what: (&str, &str), headers: &[(&str, &str)], body: &[u8]) -> Option<Reply> {
    let headers = [&[TUS], headers].concat();
    let courier = rig.courier(rig.server.file);
    courier.ask(what, &headers, body, || {}).ok()
}

fn begin(rig: &Rig, length: usize) -> Option<String> {
    let length = length.to_string();
    let headers = [("upload-length", length.as_str())];
    let reply = ask(rig, ("POST", "/files/"), &headers, b"")?;
    let id = reply.header("location")?.rsplit('/').next()?;
    Some(format!("/files/uploads/{id}"))
}

fn put(rig: &Rig, place: &str, offset: usize, bytes: &[u8]) -> Option<Reply> {
    let told = offset.to_string();
    let headers = [
        ("content-type", "application/offset+octet-stream"),
        ("upload-offset", told.as_str()),
    ];
    let reply = ask(rig, ("PATCH", place), &headers, &bytes[offset..])?;
    if reply.status == 204 {
        rig.has_uploaded(bytes);
    }
    Some(reply)
}

#[test]
fn an_upload_of_an_old_client() {
    strike_everywhere("an upload of an old client", 5, 4, |rig, turn| {
        let bytes = content(60_000, 3000 + turn.number);
        let name = md5_name(&bytes);
        turn.strike(rig, |rig| {
            let old = Transfer::try_connect(rig.server.file, Flavor::Pc);
            if old.is_ok_and(|mut old| old.upload_as(&name, &bytes)) {
                rig.has_uploaded(&bytes);
            }
        });
        if turn.step > 0 {
            let mut old = Transfer::connect(rig.server.file, Flavor::Pc);
            assert!(old.upload_as(&name, &bytes));
            rig.has_uploaded(&bytes);
            assert!(old.download(&name).as_ref() == Some(&bytes), "{name}");
        }
    });
}

/// Makes an account and signs in.
#[test]
fn an_account() {
    strike_everywhere("an account", 6, 5, |rig, turn| {
        let name = format!("newcomer{}", turn.number);
        let (mut made, mut token) = (false, None);
        turn.strike(rig, |rig| {
            made = register(rig, &name).is_some_and(|reply| reply.status == 201);
            if made {
                token = sign_in(rig, &name);
            }
        });
        if turn.step == 0 {
            return;
        }
        let again = register(rig, &name).expect("it runs");
        match again.status {
            // What was answered is there, and what was not may be.
            409 => assert_eq!(json_of(&again)["code"], "username_taken"),
            201 => assert!(!made, "an account that was made is gone"),
            _ => panic!("{}", shown(&again)),
        }
        let token = token.unwrap_or_else(|| sign_in(rig, &name).expect("it runs"));
        let me = rig.server.api().with_token(&token).get("/me").ok(200);
        assert_eq!(me["username"], *name, "{me}");
    });
}

fn register(rig: &Rig, name: &str) -> Option<Reply> {
    let body = json!({"username": name, "password": password(name), "nickname": name});
    post(rig, "/api/v1/users", &body)
}

/// The token.
fn sign_in(rig: &Rig, name: &str) -> Option<String> {
    let device = json!({"kind": "desktop", "name": "laptop", "id": "laptop"});
    let body = json!({"username": name, "password": password(name), "device": device});
    let reply = post(rig, "/api/v1/sessions", &body)?;
    assert_eq!(reply.status, 201, "{}", shown(&reply));
    json_of(&reply)["token"].as_str().map(str::to_owned)
}

fn post(rig: &Rig, path: &str, body: &serde_json::Value) -> Option<Reply> {
    let headers = [("content-type", "application/json")];
    let courier = rig.courier(rig.server.chat);
    let body = body.to_string();
    courier
        .ask(("POST", path), &headers, body.as_bytes(), || {})
        .ok()
}
