//! The process that decodes: started by the server, fenced in before it sees a picture, with nothing
//! to gain for whoever gets it to run what it should not.
//!
//! It is the same program, started again with a word that no help names. What comes on standard
//! input is pictures, what goes to standard output is what became of them; it knows neither files
//! nor a network.
//!
//! In reading order: `orders` is what it is started with, `message` what is said on the two pipes,
//! `confine` and `calls` take its rights away, `work` does what is asked about a picture.
//!
//! **Invariant:** nothing of a picture is read before the rights are gone.

#[cfg(target_os = "linux")]
mod calls;
mod confine;
mod message;
mod orders;
mod work;

use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::panic;
use std::process::ExitCode;

pub use message::{Answer, Confinement, Reply, Task};
pub(crate) use message::{Greeting, HEADER_BYTES_MAX, Request, framed};
pub use orders::Orders;

/// The word that makes a worker of this program.
pub const SUBCOMMAND: &str = "picture-worker";

/// Is the worker if this program was started as one; how it ended.
pub fn run_if_asked(args: &[OsString]) -> Option<ExitCode> {
    let [_program, asked, orders] = args else {
        return None;
    };
    (asked == SUBCOMMAND).then(|| run(orders, work::carry_out))
}

/// Gives up every right, says so, and works until there is nothing more to do. What is done with
/// the bytes of a picture is `work`.
pub fn run(orders: &OsStr, work: impl FnMut(Task, &[u8], &Orders) -> Answer) -> ExitCode {
    // What a decoder says when it fails is for nobody; that it failed is told in an answer.
    panic::set_hook(Box::new(|_| {}));
    let confined = Orders::read(orders).and_then(|orders| {
        let confinement = confine::confine(&orders).map_err(|error| error.to_string())?;
        Ok((orders, confinement))
    });
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let greeting: Greeting = match &confined {
        Ok((_, confinement)) => Ok(*confinement),
        Err(why) => Err(why.clone()),
    };
    // Without a server there is nobody to be told of anything that goes wrong from here on.
    let greeted = say(&mut output, &greeting, &[]);
    match confined {
        Ok((orders, _)) if greeted.is_ok() => {
            let ended = attend(&mut input, &mut output, &orders, work);
            ended.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
        }
        _ => ExitCode::FAILURE,
    }
}

/// Answers until the input ends.
fn attend(
    input: &mut impl Read,
    output: &mut impl Write,
    orders: &Orders,
    mut work: impl FnMut(Task, &[u8], &Orders) -> Answer,
) -> io::Result<()> {
    while let Some(Request { task, bytes }) = message::read(input)? {
        // The server does not hand over more than it takes.
        let mut picture = Vec::with_capacity(usize::try_from(bytes).unwrap_or(0));
        input.by_ref().take(bytes).read_to_end(&mut picture)?;
        if u64::try_from(picture.len()) != Ok(bytes) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let Answer { reply, made } = work(task, &picture, orders);
        say(output, &reply, &made)?;
    }
    Ok(())
}

fn say(output: &mut impl Write, header: &impl serde::Serialize, made: &[u8]) -> io::Result<()> {
    output.write_all(&framed(header)?)?;
    output.write_all(made)?;
    output.flush()
}

#[cfg(test)]
mod tests;
