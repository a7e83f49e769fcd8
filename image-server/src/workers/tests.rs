//! Workers that come and go. They are processes of the program that cargo built.

use std::fs::{self, File};
use std::io::Cursor;
use std::sync::Arc;

use common::pool::BlockingPool;
use image::{DynamicImage, ImageFormat, RgbImage};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

use super::*;
use crate::picture::Limits;

const ORDERS: Orders = Orders {
    limits: Limits {
        bytes_max: 1 << 20,
        pixels_max: 10_000,
        frames_max: 10,
    },
    time: Duration::from_secs(60),
    pictures: 3,
    only_confined: false,
};

/// How long the system may take for what it does at once.
const PATIENCE: Timespec = Timespec {
    tv_sec: 60,
    tv_nsec: 0,
};

fn workers() -> Workers {
    Workers::new(&Program::built(), ORDERS).unwrap()
}

fn picture(folder: &tempfile::TempDir) -> BlobFile {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(RgbImage::new(40, 20))
        .write_to(&mut bytes, ImageFormat::Png)
        .unwrap();
    let path = folder.path().join("picture");
    fs::write(&path, bytes.get_ref()).unwrap();
    let length = u64::try_from(bytes.get_ref().len()).unwrap();
    BlobFile::on_disk(
        Arc::new(File::open(path).unwrap()),
        length,
        BlockingPool::new(1),
    )
}

/// The process of a worker.
fn process(worker: &WorkerProcess) -> Pid {
    let number = i32::try_from(worker.number().unwrap()).unwrap();
    Pid::from_raw(number).unwrap()
}

/// Waits until there is something to read here: of a process that it has ended.
async fn readable(file: impl Into<std::os::fd::OwnedFd>) {
    let file = file.into();
    let waiting = move || {
        let mut what = [PollFd::new(&file, PollFlags::IN)];
        poll(&mut what, Some(&PATIENCE)).unwrap()
    };
    let ready = tokio::task::spawn_blocking(waiting).await.unwrap();
    assert_eq!(ready, 1, "nothing happened");
}

/// Whoever has nothing to do.
fn idle(workers: &Workers) -> Vec<u32> {
    let idle = workers.idle.lock().unwrap();
    let number = |idle: &Idle| idle.worker.number();
    idle.iter().filter_map(number).collect()
}

#[tokio::test]
async fn a_worker_is_kept_until_it_was_idle_for_long_or_has_seen_enough() {
    let folder = tempfile::tempdir().unwrap();
    let (workers, picture) = (workers(), picture(&folder));
    assert_eq!(idle(&workers), [0; 0]);
    workers.confinement().await.unwrap();
    let first = idle(&workers);
    assert_eq!(first.len(), 1);
    for _ in 0..2 {
        let made = workers.carry_out(Task::Look, &picture).await.unwrap();
        assert!(matches!(made, Made::Looked(_)));
        assert_eq!(idle(&workers), first, "another one was started");
    }
    workers.carry_out(Task::Share, &picture).await.unwrap();
    assert_eq!(idle(&workers), [0; 0], "it saw more than it should");
    workers.carry_out(Task::Share, &picture).await.unwrap();
    let second = idle(&workers);
    assert_ne!(second, first);
    workers.retire(Duration::from_secs(3600));
    assert_eq!(idle(&workers), second);
    workers.retire(Duration::ZERO);
    assert_eq!(idle(&workers), [0; 0]);
}

#[tokio::test]
async fn as_many_as_there_are_pictures_under_way() {
    let folder = tempfile::tempdir().unwrap();
    let (workers, picture) = (workers(), picture(&folder));
    let look = || workers.carry_out(Task::Look, &picture);
    let (one, two) = tokio::join!(look(), look());
    assert_eq!(one, two);
    assert_eq!(idle(&workers).len(), 2);
}

#[tokio::test]
async fn one_that_was_ended_while_it_was_idle_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (workers, picture) = (workers(), picture(&folder));
    workers.confinement().await.unwrap();
    let mut worker = workers.last_idle().unwrap();
    kill_process(process(&worker), Signal::KILL).unwrap();
    assert_eq!(worker.cause_of_end().await, Cause::Ended);
    workers.give_back(worker);
    workers.carry_out(Task::Look, &picture).await.unwrap();
}

#[tokio::test]
async fn work_that_nobody_waits_for_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let (workers, picture) = (workers(), picture(&folder));
    workers.confinement().await.unwrap();
    let worker = workers.last_idle().unwrap();
    // It does not get to read what it is given.
    let process = process(&worker);
    kill_process(process, Signal::STOP).unwrap();
    workers.give_back(worker);
    let input = format!("/proc/{}/fd/0", process.as_raw_nonzero());
    let given = readable(File::open(input).unwrap());
    let end = readable(pidfd_open(process, PidfdFlags::empty()).unwrap());
    tokio::select! {
        made = workers.carry_out(Task::Look, &picture) => panic!("made by nobody: {made:?}"),
        () = given => {}
    }
    end.await;
    workers.carry_out(Task::Look, &picture).await.unwrap();
}

#[tokio::test]
async fn what_is_no_worker_is_told() {
    let refused = |program: &str| Workers::new(&Program::at(program), ORDERS);
    let none = refused("/no/such/program").unwrap();
    let refused_none = none.confinement().await;
    assert!(matches!(refused_none, Err(StartError::Start(_))));
    let other = refused("/bin/false").unwrap();
    let refused_other = other.confinement().await;
    assert!(matches!(refused_other, Err(StartError::Refused(_))));
    // Of a picture no more is told than that it is to come again.
    let folder = tempfile::tempdir().unwrap();
    let told = none.carry_out(Task::Look, &picture(&folder)).await;
    assert_eq!(told, Err(Trouble::NoWorker));
}
