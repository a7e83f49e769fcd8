//! How much of what was written the other side's system has not confirmed yet.
//!
//! The one file of the project with `unsafe`.

#![allow(
    unsafe_code,
    reason = "the standard library has no call for the length of a socket's send queue"
)]

use std::io;

use tokio::net::TcpStream;

/// Bytes that the peer's TCP has not acknowledged.
#[cfg(target_os = "linux")]
pub(super) fn unsent(stream: &TcpStream) -> io::Result<u32> {
    use std::os::fd::AsRawFd;

    let mut bytes: libc::c_int = 0;
    // SAFETY: SIOCOUTQ (the same number as TIOCOUTQ, see tcp(7)) writes one `int` through the
    // pointer, which points at a live `c_int` for the whole call and is used by nothing else
    // meanwhile. `stream` is borrowed, so its descriptor stays open and is no other file's.
    let answer = unsafe { libc::ioctl(stream.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    if answer < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(u32::try_from(bytes).unwrap_or(0))
}

/// Other systems do not say; what was written counts as received.
#[cfg(not(target_os = "linux"))]
pub(super) fn unsent(_stream: &TcpStream) -> io::Result<u32> {
    Ok(0)
}
