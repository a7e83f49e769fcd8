//! Whoever gave up every right reaches nothing, as far as the kernel knows Landlock.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::{env, fs, io, thread};

use landlock::{ABI, LandlockStatus};
use rustix::process::{Pid, test_kill_process};

use super::linux::restricted;

/// What there is to reach, and since when Landlock keeps a process from it.
const REACHES: [(&str, ABI); 3] = [
    ("a file", ABI::V1),
    ("the network", ABI::V4),
    ("other processes", ABI::V6),
];

fn reach(address: SocketAddr, other: Pid) -> [io::Result<()>; 3] {
    [
        fs::read("/proc/self/status").map(drop),
        TcpStream::connect(address).map(drop),
        test_kill_process(other).map_err(io::Error::from),
    ]
}

/// Only the thread that asks for it is held.
#[test]
fn whoever_may_reach_nothing_reaches_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // It ends with its input.
    let mut other = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
    let pid = Pid::from_child(&other);
    let held = thread::spawn(move || {
        let before = reach(address, pid);
        let status = restricted().unwrap();
        (before, status.landlock, reach(address, pid))
    });
    let (before, landlock, after) = held.join().unwrap();
    drop(other.stdin.take());
    other.wait().unwrap();

    let abi = match landlock {
        LandlockStatus::Available { effective_abi, .. } => effective_abi,
        LandlockStatus::NotEnabled | LandlockStatus::NotImplemented => ABI::Unsupported,
    };
    let is_ci = env::var_os("CI").is_some_and(|value| !value.is_empty());
    for ((what, since), (before, after)) in REACHES.iter().zip(before.into_iter().zip(after)) {
        assert!(before.is_ok(), "{what}: {before:?}");
        if abi < *since {
            assert!(!is_ci, "Landlock of this kernel does not know {what}");
            eprintln!("NOT TESTED: {what}, which this kernel's Landlock does not know");
            continue;
        }
        // Of another process one is told EPERM, of all others EACCES.
        let error = after.expect_err(what);
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{what}");
    }
}
