//! Where people open the web client.

use std::net::SocketAddr;

use common::config::ChatConfig;
use common::net::Listener;
use common::process::Exit;

use super::folder::Folder;

/// The address to open in a browser on this machine, or how the operator says that people reach
/// the server; nothing if the web client is not given out. Asked before the program says that it is
/// ready.
///
/// # Errors
/// If the directory of the web client has no page.
pub fn address(config: &ChatConfig, listener: &Listener) -> Result<Option<String>, Exit> {
    let settings = &config.web_client;
    if !settings.web_client {
        return Ok(None);
    }
    if let Some(folder) = &settings.web_client_dir {
        let checked = Folder::new(folder.clone()).check();
        checked.map_err(|error| Exit::config(error.to_string()))?;
    }
    let is_tls = listener.security().keys.is_some();
    let own = || own(listener.local_addr(), is_tls);
    Ok(Some(config.public_url.clone().unwrap_or_else(own)))
}

fn own(local: SocketAddr, is_tls: bool) -> String {
    let scheme = if is_tls { "https" } else { "http" };
    if local.ip().is_unspecified() {
        format!("{scheme}://localhost:{}", local.port())
    } else {
        format!("{scheme}://{local}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_on_all_addresses_is_found_on_this_machine() {
        let own = |local: &str, is_tls| own(local.parse().unwrap(), is_tls);
        assert_eq!(own("0.0.0.0:20000", false), "http://localhost:20000");
        assert_eq!(own("[::]:20000", true), "https://localhost:20000");
        assert_eq!(own("10.0.0.7:80", false), "http://10.0.0.7:80");
        assert_eq!(own("[::1]:20000", false), "http://[::1]:20000");
    }
}
