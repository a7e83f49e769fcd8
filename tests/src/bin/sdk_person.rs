//! A user of the SDK as a process of its own, to be killed: see `sdk_person` in the library.

use myim_tests::sdk_person::{Part, play};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let part = std::env::args()
        .nth(1)
        .ok_or("usage: sdk-person PART-AS-JSON")?;
    let part: Part = serde_json::from_str(&part)?;
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(play(part))
}
