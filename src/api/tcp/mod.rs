//! The door on the network: TCP, with TLS or on this machine alone. Refuses whom it cannot serve: too many at once, who
//! does not come to the point, who does not speak HTTP. Who may do what is the [`gate`]'s affair.

mod gate;
mod log;
mod scopes;
mod slow;
mod tls;

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use self::gate::Gate;
use self::tls::Tls;
use crate::engine::Engine;
use crate::model::listen::Listen;

/// The head of a request is never longer.
const HEAD_MAX: usize = 64 << 10;

/// How long those who are being served may take when the engine ends.
const PARTING: Duration = Duration::from_secs(3);

/// One address from elsewhere gets no more than this part of all connections.
const SHARE: usize = 4;

/// From whom a request came.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// A door that is open, and not answered yet.
pub struct Door {
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    how: Listen,
    /// As it is told: `https://[::]:7443`
    pub url: String,
}

impl Door {
    /// # Errors
    /// Why it cannot be opened, in one sentence.
    pub async fn open(how: &Listen) -> Result<Self, String> {
        let tls = match &how.tls {
            None => None,
            Some(pair) => {
                let pair = pair.clone();
                let read = tokio::task::spawn_blocking(move || Tls::read(pair)).await;
                Some(Arc::new(read.unwrap_or_else(|error| Err(error.to_string()))?))
            }
        };
        let wrong = |error: io::Error| format!("cannot listen on {}: {error}", how.address);
        let listener = TcpListener::bind(how.address).await.map_err(wrong)?;
        let url = how.url(listener.local_addr().map_err(wrong)?);
        Ok(Self { listener, tls, how: how.clone(), url })
    }

    /// Answers until the engine ends.
    pub async fn answer(self, app: Router, engine: Arc<Engine>, state: &std::path::Path, stop: watch::Receiver<bool>) {
        let (log, _written) = log::open(state);
        let gate = Arc::new(Gate::new(Arc::clone(&engine), &self.how, log));
        let app = app.layer(middleware::from_fn_with_state(gate, gate::pass));
        let house = Arc::new(House {
            app: TowerToHyperService::new(app),
            tls: self.tls,
            engine,
            patience: self.how.patience,
            stop: stop.clone(),
        });
        let places = Arc::new(Semaphore::new(self.how.connections as usize));
        let crowd = Arc::new(Crowd { most: (self.how.connections as usize / SHARE).max(1), ..Crowd::default() });
        let guests = TaskTracker::new();
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = stopped(stop.clone()) => break,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // out of descriptors, say: give those who hold some a moment
                    tracing::warn!(%error, "accept");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            // no place: closed at once, which is all that can be said before TLS
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
            let Some(one) = Crowd::enter(&crowd, peer.ip()) else { continue };
            let house = Arc::clone(&house);
            guests.spawn(async move {
                house.receive(stream, peer).await;
                drop((place, one));
            });
        }
        drop(self.listener);
        guests.close();
        let _ = timeout(PARTING, guests.wait()).await;
    }
}

/// What every guest finds.
struct House {
    app: TowerToHyperService<Router>,
    tls: Option<Arc<Tls>>,
    engine: Arc<Engine>,
    patience: Duration,
    stop: watch::Receiver<bool>,
}

impl House {
    async fn receive(&self, stream: TcpStream, peer: SocketAddr) {
        settle(&stream, self.patience);
        match &self.tls {
            None => self.talk(stream, peer).await,
            Some(tls) => {
                // whoever does not greet, or says nonsense, is not answered
                if let Ok(Ok(stream)) = timeout(self.patience, tls.accept(stream, &self.engine)).await {
                    self.talk(stream, peer).await;
                }
            }
        }
    }

    async fn talk(&self, stream: impl AsyncRead + AsyncWrite + Unpin, peer: SocketAddr) {
        let service = service_fn(|mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            self.app.call(request)
        });
        let talk = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.patience)
            .max_buf_size(HEAD_MAX)
            .serve_connection(TokioIo::new(stream), service);
        let mut talk = pin!(talk);
        // what goes wrong here is the peer's doing: it learnt of it by the answer, or has gone
        tokio::select! {
            _ = talk.as_mut() => {}
            () = stopped(self.stop.clone()) => {
                talk.as_mut().graceful_shutdown();
                let _ = talk.await;
            }
        }
    }
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// A peer that is gone, or takes nothing of what is sent, does not hold a place for ever.
fn settle(stream: &TcpStream, patience: Duration) {
    let _ = stream.set_nodelay(true);
    let socket = socket2::SockRef::from(stream);
    let _ = socket.set_tcp_keepalive(&socket2::TcpKeepalive::new().with_time(patience));
    #[cfg(target_os = "linux")]
    let _ = socket.set_tcp_user_timeout(Some(patience * 2));
}

/// How many connections each address has.
#[derive(Default)]
struct Crowd {
    most: usize,
    by: Mutex<HashMap<IpAddr, usize>>,
}

struct Guest {
    crowd: Arc<Crowd>,
    address: IpAddr,
}

impl Crowd {
    /// `None`: this address has enough. (This machine's own are not counted: a proxy is one address for everybody.)
    fn enter(crowd: &Arc<Self>, address: IpAddr) -> Option<Guest> {
        let mut by = crowd.by.lock().unwrap_or_else(PoisonError::into_inner);
        let count = by.entry(address).or_default();
        if *count >= crowd.most && !address.is_loopback() {
            return None;
        }
        *count += 1;
        Some(Guest { crowd: Arc::clone(crowd), address })
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut by = self.crowd.by.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = by.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                by.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_does_not_take_every_place_and_gives_its_own_back() {
        let crowd = Arc::new(Crowd { most: 2, ..Crowd::default() });
        let enter = |address: &str| Crowd::enter(&crowd, address.parse().unwrap());
        let (one, two) = (enter("192.0.2.7"), enter("192.0.2.7"));
        assert!(one.is_some() && two.is_some());
        assert!(enter("192.0.2.7").is_none());
        assert!(enter("192.0.2.8").is_some(), "another address is");
        drop(one);
        assert!(enter("192.0.2.7").is_some());
        let here: Vec<_> = (0..9).map(|_| enter("127.0.0.1")).collect();
        assert!(here.iter().all(Option::is_some));
        drop((two, here));
        assert!(crowd.by.lock().unwrap().is_empty(), "nothing is kept of those who have gone");
    }
}
