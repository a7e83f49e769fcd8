//! A worker whose "pictures" tell it what to do wrong, as a picture might that took a decoder over.
//!
//! It is fenced in by the same code as the real one, before it reads the first of them.

use std::env::args_os;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::{Command, ExitCode};
use std::{fs, hint, process, thread};

use image_server::worker::{self, Answer, Orders, Reply, Task};
use rustix::process::{Signal, getppid, kill_process};

fn main() -> ExitCode {
    let orders = args_os().nth(2);
    worker::run(orders.as_deref().unwrap_or(OsStr::new("")), misbehave)
}

/// Whatever fails here without the end of the process was not forbidden strictly enough: the
/// answer tells that it went on.
fn misbehave(_: Task, picture: &[u8], orders: &Orders) -> Answer {
    match picture {
        b"read a file" => drop(fs::read("/etc/passwd")),
        b"write a file" => drop(fs::write("/tmp/of-a-picture", "x")),
        b"list a directory" => drop(fs::read_dir("/")),
        b"ask for a file" => drop(fs::metadata("/etc/passwd")),
        b"remove a file" => drop(fs::remove_file("/tmp/of-a-picture")),
        b"connect" => drop(TcpStream::connect("127.0.0.1:9")),
        b"listen" => drop(TcpListener::bind("127.0.0.1:0")),
        b"send" => drop(UdpSocket::bind("127.0.0.1:0")),
        b"run a program" => drop(Command::new("/bin/true").status()),
        b"start a thread" => drop(thread::Builder::new().spawn(|| ())),
        b"end the server" => {
            let server = getppid().expect("it was started by somebody");
            let _ = kill_process(server, Signal::KILL);
        }
        b"take all memory" => drop(hint::black_box(vec![1_u8; too_much(orders)])),
        b"abort" => process::abort(),
        b"end" => process::exit(0),
        b"panic" => panic!("as decoders do"),
        b"go on for ever" => loop {
            hint::spin_loop();
        },
        b"babble" => babble(&[0xff; 100_000]),
        b"say something else" => return said(Reply::Made(3), b"GIF"),
        b"say a page" => return said(Reply::Made(6), b"<html>"),
        b"promise too much" => return said(Reply::Made(u64::MAX), b"x"),
        b"say half" => {
            babble(&framed("{\"Made\":1000}"));
            process::exit(0);
        }
        _ => {}
    }
    said(Reply::AsItIs, b"")
}

fn said(reply: Reply, made: &[u8]) -> Answer {
    let made = made.to_vec();
    Answer { reply, made }
}

fn framed(header: &str) -> Vec<u8> {
    let length = u32::try_from(header.len()).expect("a short header");
    [&length.to_le_bytes()[..], header.as_bytes()].concat()
}

/// Writes past the protocol.
fn babble(bytes: &[u8]) {
    let mut output = io::stdout();
    let _ = output.write_all(bytes).and_then(|()| output.flush());
}

/// What no picture within the limits needs.
fn too_much(orders: &Orders) -> usize {
    let most = orders.limits.pixels_max * 32 + orders.limits.bytes_max * 4 + (256 << 20);
    usize::try_from(most).expect("an address")
}
