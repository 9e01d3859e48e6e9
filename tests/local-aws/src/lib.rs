//! A strict simulation of AWS inside the test process.
//!
//! ```text
//! provision -> SDK -> client -> faults -> model, rules -> emulator -> rules -> client -> SDK
//!                       |                          |
//!                     record                     world (what the account holds, and since when)
//! ```
//!
//! The emulator ([`winterbaume_core`]) knows wire formats and keeps state. It is more forgiving than AWS, so
//! [`rules`] refuse what AWS refuses, [`world`] gives things the life cycles that AWS gives them, on tokio's clock,
//! and [`faults`] lets calls fail. Everything is deterministic: one call at a time, and no other source of chance
//! than a seed.

pub mod answer;
pub mod call;
mod cbor;
pub mod census;
pub mod checks;
mod client;
pub mod commands;
mod emulator;
pub mod faults;
pub mod github;
pub mod matrix;
pub mod model;
pub mod policy;
pub mod replay;
pub mod rules;
pub mod runs;
mod things;
mod tree;
pub mod world;
pub use client::LATENCY;
mod xml;

use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{SharedHttpClient, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use provision::aws::{Aws, Owner};
use provision::guard::Access;

use crate::answer::Answer;
use crate::call::Call;
use crate::client::Client;
use crate::faults::Faults;
use crate::world::World;

/// The account that everything belongs to.
pub const ACCOUNT: &str = "123456789012";
/// The region that everything is in.
pub const REGION: &str = "ap-northeast-1";

/// One AWS account in memory.
#[derive(Clone, Debug)]
pub struct Cloud {
    shared: Arc<client::Shared>,
}

impl Default for Cloud {
    fn default() -> Self {
        Self::new(rules::all())
    }
}

impl Cloud {
    /// Makes an empty account in which the given rules hold. Must be called on a paused tokio clock.
    pub fn new(rules: Vec<rules::Rule>) -> Self {
        Self { shared: Arc::new(client::Shared::new(rules)) }
    }

    /// The clients of a run of `provision` against this account.
    pub fn aws(&self, owner: Owner, access: Access) -> Aws {
        Aws::new(&self.sdk_config(), owner, access)
    }

    /// The configuration of any SDK client that talks to this account.
    pub fn sdk_config(&self) -> SdkConfig {
        let key = Credentials::new("AKIASIMULATION", "not-a-secret", None, None, "local-aws");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .credentials_provider(SharedCredentialsProvider::new(key))
            .http_client(SharedHttpClient::new(Client::new(Arc::clone(&self.shared))))
            .sleep_impl(aws_smithy_async::rt::sleep::SharedAsyncSleep::new(
                aws_smithy_async::rt::sleep::TokioSleep::new(),
            ))
            .build()
    }

    /// How people reach what was deployed.
    pub fn front(&self) -> SharedHttpConnector {
        SharedHttpConnector::new(Client::new(Arc::clone(&self.shared)))
    }

    /// Lets calls fail from now on as the plan says; replaces an earlier plan.
    pub fn set_faults(&self, faults: Faults) {
        *lock(&self.shared.faults) = faults;
    }

    /// Answers a request as it stands; it must be signed, because the signature names the service.
    ///
    /// # Errors
    /// When a fault breaks the connection.
    pub async fn send(&self, request: &HttpRequest) -> Result<Answer, ConnectorError> {
        self.shared.answer(request).await
    }

    /// Every call that was made, in order.
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.shared.calls).clone()
    }

    /// Looks at, or changes, what the account holds besides the emulator's state.
    pub fn world<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut lock(&self.shared.world))
    }

    /// Completes when a call is reached at which the fault plan kills the process.
    pub async fn killed(&self) {
        self.shared.killed.notified().await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().expect("nobody panics with a part of the simulation locked")
}
