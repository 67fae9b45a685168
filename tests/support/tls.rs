//! TLS in front of a server that speaks none, as a proxy is put there: what passes is not changed. Its certificate is
//! its own, which nobody trusts who is not told to.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

pub struct Proxy {
    pub port: u16,
    /// The certificate, as a file holds it.
    pub pem: String,
}

impl Proxy {
    /// Passes requests on to a port of this machine, in the name of these.
    pub fn before(port: u16, names: &[&str]) -> Self {
        let made = rcgen::generate_simple_self_signed(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
            .expect("a certificate");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has the default versions")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("they belong together");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let proxy = Self { port: listener.local_addr().expect("its address").port(), pem: made.cert.pem() };
        let config = Arc::new(config);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let config = Arc::clone(&config);
                // (whoever does not trust the certificate goes away in the middle)
                thread::spawn(move || pass(client, config, port));
            }
        });
        proxy
    }
}

/// One request on one connection, and its answer.
fn pass(client: TcpStream, config: Arc<ServerConfig>, to: u16) -> io::Result<()> {
    let connection = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut client = BufReader::new(StreamOwned::new(connection, client));
    let mut head = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if client.read_line(&mut line)? == 0 {
            return Ok(());
        }
        if line == "\r\n" {
            // (a server that waited for more would hold the answer up)
            head.push_str("Connection: close\r\n\r\n");
            break;
        }
        head.push_str(&line);
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
    }
    let mut server = TcpStream::connect(("127.0.0.1", to))?;
    server.write_all(head.as_bytes())?;
    io::copy(&mut (&mut client).take(length), &mut server)?;
    let client = client.get_mut();
    io::copy(&mut server, client)?;
    client.conn.send_close_notify();
    client.flush()
}
