//! The processes that decode pictures: what they may do, what happens when one ends, and that none
//! is left behind.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::thread;

use myim_tests::http::get;
use myim_tests::machine::{Need, has_or_skip};
use myim_tests::process::Process;
use myim_tests::server::{Db, Kind, Server, Setup};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

use super::{png, upload};

tests! {
    sqlite: a_worker_can_do_nothing_else, one_that_is_killed_costs_its_picture, none_is_left_behind,
        none_is_left_by_a_kill;
    mariadb: a_worker_can_do_nothing_else,
}

/// How long the system may take for what it does at once.
const PATIENCE: Timespec = Timespec {
    tv_sec: 60,
    tv_nsec: 0,
};

/// The program that has the image server.
pub(super) fn images(server: &Server) -> &Process {
    server.programs().last().expect("a program")
}

/// A running worker of the server, which starts one when it starts.
fn worker(server: &Server) -> Pid {
    let server = images(server);
    server.wait_for_log("pictures are decoded in processes");
    let mut workers = children(server.pid());
    workers.retain(|child| status(*child, "Name") == "picture-worker");
    assert_eq!(workers.len(), 1, "{}", server.story());
    workers[0]
}

/// All processes that this one started.
pub(super) fn children(of: i32) -> Vec<Pid> {
    let numbers = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let name = entry.ok()?.file_name().into_string().ok()?;
        Pid::from_raw(name.parse().ok()?)
    });
    numbers
        .filter(|pid| status(*pid, "PPid") == of.to_string())
        .collect()
}

/// A line of what the system tells about a process; empty of one that is gone.
pub(super) fn status(pid: Pid, name: &str) -> String {
    let path = format!("/proc/{}/status", pid.as_raw_nonzero());
    let lines = fs::read_to_string(path).unwrap_or_default();
    let line = lines
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_default().trim().to_owned()
}

/// Waits until there is something to read; of a process, until it has ended.
fn wait_readable(file: impl Into<OwnedFd>) {
    let file = file.into();
    let mut what = [PollFd::new(&file, PollFlags::IN)];
    let ready = poll(&mut what, Some(&PATIENCE)).unwrap();
    assert_eq!(ready, 1, "nothing happened");
}

fn watched(pid: Pid) -> OwnedFd {
    pidfd_open(pid, PidfdFlags::empty()).unwrap()
}

/// Waits until something was handed to a worker that does not read it.
fn wait_until_given(worker: Pid) {
    let input = format!("/proc/{}/fd/0", worker.as_raw_nonzero());
    wait_readable(File::open(input).unwrap());
}

pub(super) fn failures(admin: SocketAddr, reason: &str) -> Option<u64> {
    let counted = get(admin, "/metrics").body;
    let name = format!("myim_picture_worker_failures_total{{reason=\"{reason}\"}} ");
    let line = counted.lines().find_map(|line| line.strip_prefix(&name));
    line.map(|number| number.parse().unwrap())
}

fn a_worker_can_do_nothing_else(server: &mut Server) {
    if has_or_skip(Need::Landlock) {
        images(server).wait_for_log(r#""landlock":true"#);
    }
    let images = server.images().with_token(&server.newcomer("ann").token);
    let before = worker(server);
    upload(&images, &png(400, 300));
    let worker = worker(server);
    assert_eq!(worker, before, "it stays for the next picture");
    if !has_or_skip(Need::Seccomp) {
        return;
    }
    assert_eq!(status(worker, "Seccomp"), "2");
    assert_eq!(status(worker, "NoNewPrivs"), "1");
    assert_eq!(status(worker, "Threads"), "1");
    for set in ["CapEff", "CapPrm", "CapInh"] {
        assert_eq!(status(worker, set).trim_start_matches('0'), "", "{set}");
    }
    let of = |what: &str| format!("/proc/{}/{what}", worker.as_raw_nonzero());
    let limits = fs::read_to_string(of("limits")).unwrap();
    for none in [
        "Max core file size",
        "Max file size",
        "Max open files",
        "Max processes",
    ] {
        let line = limits.lines().find_map(|line| line.strip_prefix(none));
        let numbers: Vec<_> = line.unwrap().split_whitespace().take(2).collect();
        assert_eq!(numbers, ["0", "0"], "{none}");
    }
    for some in ["Max address space", "Max cpu time"] {
        let line = limits.lines().find_map(|line| line.strip_prefix(some));
        assert!(!line.unwrap().contains("unlimited"), "{limits}");
    }
    // It knows nothing of what the server was told, and has nothing but its pipes.
    assert_eq!(fs::read(of("environ")).unwrap(), b"");
    let leads = |number: u32| fs::read_link(of(&format!("fd/{number}"))).unwrap();
    for pipe in [0, 1] {
        assert!(leads(pipe).to_string_lossy().starts_with("pipe:"));
    }
    assert_eq!(leads(2).to_string_lossy(), "/dev/null");
    assert_eq!(fs::read_link(of("cwd")).unwrap().to_string_lossy(), "/");
}

fn one_that_is_killed_costs_its_picture(server: &mut Server) {
    let images = server.images().with_token(&server.newcomer("ann").token);
    let first = worker(server);
    kill_process(first, Signal::STOP).unwrap();
    thread::scope(|scope| {
        let disturbed = scope.spawn(|| images.post(&png(40, 30)));
        wait_until_given(first);
        // Another one does the others' meanwhile.
        upload(&images, &png(50, 30));
        kill_process(first, Signal::KILL).unwrap();
        disturbed.join().unwrap().refused(503, "busy");
        upload(&images, &png(60, 30));
    });
    assert_eq!(failures(server.admin[0], "ended"), Some(1));
    assert_eq!(failures(server.admin[0], "forbidden"), None);
    // The picture is as good as it was.
    upload(&images, &png(40, 30));
}

fn none_is_left_behind(server: &mut Server) {
    let worker = watched(worker(server));
    server.stop();
    wait_readable(worker);
}

/// Neither one that waits for a picture nor one that has one: this one would never look up.
fn none_is_left_by_a_kill(server: &mut Server) {
    let images = server.images().with_token(&server.newcomer("ann").token);
    let first = worker(server);
    kill_process(first, Signal::STOP).unwrap();
    thread::scope(|scope| {
        let lost = scope.spawn(|| {
            // Its connection breaks: there is no answer to look at.
            let asked = || images.post(&png(40, 30));
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(asked)).is_err()
        });
        wait_until_given(first);
        upload(&images, &png(50, 30));
        let all = children(server.programs()[0].pid());
        assert_eq!(all.len(), 2);
        let all: Vec<_> = all.into_iter().map(watched).collect();
        server.kill();
        all.into_iter().for_each(wait_readable);
        assert!(lost.join().unwrap(), "it was answered by nobody");
    });
}

#[test]
fn a_sandbox_can_be_demanded() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .open()
        .variable("MYIM_REQUIRE_PICTURE_SANDBOX", "true")
        .start();
    upload(&server.images(), &png(40, 30));
}
