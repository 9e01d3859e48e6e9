//! The service as a whole: through its routers, over servers that stand for the outside world.
#![expect(clippy::unwrap_used, reason = "the helpers of the tests fail as the tests do")]

mod caches;
mod emf;
mod http;
mod judge;
mod open_meteo;
mod outage;
mod program;
mod sockets;
mod support;
mod wxtech;
