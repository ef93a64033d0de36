//! Where to connect or bind to: a socket address, or a host name to look up.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use crate::blocking::spawn_blocking;
use crate::current;

/// What [`connect`](crate::net::TcpStream) and `bind` take: a [`SocketAddr`], `(ip, port)`,
/// `(host, port)`, or text such as `"127.0.0.1:80"` and `"localhost:80"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// Ready to use.
    Socket(SocketAddr),
    /// `host:port`; the system looks the host up, which blocks, so the blocking pool does it.
    Host(String),
}

impl Address {
    /// All socket addresses it stands for.
    ///
    /// # Errors
    /// If the host is not known, or there is no reactor on this thread.
    pub async fn resolve(self) -> io::Result<Vec<SocketAddr>> {
        match self {
            Address::Socket(address) => Ok(vec![address]),
            Address::Host(host) => {
                current::current()?;
                let lookup = move || host.to_socket_addrs().map(Iterator::collect);
                spawn_blocking(lookup).await?
            }
        }
    }

    /// The first result of `attempt` that is no error, or the last error.
    pub(crate) async fn first_ok<T>(
        self,
        mut attempt: impl AsyncFnMut(SocketAddr) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut result = Err(io::Error::new(io::ErrorKind::NotFound, "the host has no address"));
        for address in self.resolve().await? {
            result = attempt(address).await;
            if result.is_ok() {
                break;
            }
        }
        result
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Address {
        Address::Socket(address)
    }
}

impl From<(IpAddr, u16)> for Address {
    fn from((ip, port): (IpAddr, u16)) -> Address {
        Address::Socket(SocketAddr::new(ip, port))
    }
}

impl From<(&str, u16)> for Address {
    fn from((host, port): (&str, u16)) -> Address {
        match host.parse::<IpAddr>() {
            Ok(ip) => Address::Socket(SocketAddr::new(ip, port)),
            Err(_) => Address::Host(format!("{host}:{port}")),
        }
    }
}

impl From<&str> for Address {
    fn from(text: &str) -> Address {
        match text.parse() {
            Ok(address) => Address::Socket(address),
            Err(_) => Address::Host(text.to_owned()),
        }
    }
}

impl From<String> for Address {
    fn from(text: String) -> Address {
        Address::from(text.as_str())
    }
}

impl From<&String> for Address {
    fn from(text: &String) -> Address {
        Address::from(text.as_str())
    }
}
