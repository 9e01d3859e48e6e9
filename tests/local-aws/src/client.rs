//! The HTTP client that the SDK gets: instead of a network it has the account.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::answer::Answer;
use crate::call::{self, Call};
use crate::emulator::Emulator;
use crate::faults::{Fault, Faults};
use crate::lock;
use crate::rules::Rule;
use crate::world::{World, announced, front_door};

/// What all clients of one account share.
pub(crate) struct Shared {
    emulator: Emulator,
    rules: Vec<Rule>,
    began: Instant,
    number: AtomicU64,
    /// One call at a time, or runs would differ by the order in which threads come to run.
    turn: tokio::sync::Mutex<()>,
    pub(crate) world: Mutex<World>,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) calls: Mutex<Vec<Call>>,
    pub(crate) killed: Notify,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("calls", &self.number).finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) fn new(rules: Vec<Rule>) -> Self {
        Self {
            world: Mutex::new(World::under(&rules)),
            emulator: Emulator::new(),
            rules,
            began: Instant::now(),
            number: AtomicU64::new(0),
            turn: tokio::sync::Mutex::new(()),
            faults: Mutex::default(),
            calls: Mutex::default(),
            killed: Notify::new(),
        }
    }

    pub(crate) async fn answer(&self, request: &HttpRequest) -> Result<Answer, ConnectorError> {
        tokio::time::sleep(LATENCY).await;
        let _turn = self.turn.lock().await;
        let number = self.number.fetch_add(1, Ordering::Relaxed) + 1;
        let call = Call::of(request, number, self.began.elapsed());
        lock(&self.calls).push(call.clone());
        let fault = lock(&self.faults).of(&call);
        if fault == Some(Fault::KilledBefore) {
            self.kill().await;
        }
        if fault == Some(Fault::TimedOut) {
            return Err(no_answer());
        }
        if fault == Some(Fault::Reset) {
            return Err(ConnectorError::io("connection reset by peer".into()));
        }
        if let Some(refusal) = fault.and_then(|fault| fault.refusal(&call)) {
            return Ok(Answer::refusal(call.protocol(), &refusal));
        }
        let before = lock(&self.world).visibility.before(&call).filter(|_| fault == Some(Fault::Stale));
        if let Some(answer) = before {
            return Ok(answer);
        }
        let answer = self.work(&call, request).await;
        if fault == Some(Fault::TagsLate) && answer.is_ok() {
            lock(&self.world).visibility.hide_tags(announced(&answer), call.at + TAGS_LATE);
        }
        match fault {
            Some(Fault::AnswerLost) if lock(&self.world).holds("answers_get_lost") => Err(no_answer()),
            Some(Fault::KilledAfter) => self.kill().await,
            _ => Ok(answer),
        }
    }

    /// Somebody asks what was deployed, and not AWS.
    async fn front_door(&self, request: &HttpRequest) -> Result<Answer, ConnectorError> {
        tokio::time::sleep(LATENCY).await;
        let mut world = lock(&self.world);
        world.now = self.began.elapsed();
        let status = front_door::status(&world, request.uri());
        let status = status.ok_or_else(|| ConnectorError::timeout("no connection within 5 s".into()))?;
        Ok(Answer { status, headers: Vec::new(), body: String::new() })
    }

    async fn work(&self, call: &Call, request: &HttpRequest) -> Answer {
        let refusal = {
            let mut world = lock(&self.world);
            world.notice(call);
            self.rules.iter().find_map(|rule| (rule.refuses)(call, &world))
        };
        if let Some(refusal) = refusal {
            return Answer::refusal(call.protocol(), &refusal);
        }
        let own = lock(&self.world).answer(call);
        let mut answer = match own {
            Some(Ok(answer)) => answer,
            Some(Err(refusal)) => Answer::refusal(call.protocol(), &refusal),
            None => self.emulator.answer(&call.service, request).await,
        };
        let mut world = lock(&self.world);
        if answer.is_ok() {
            world.observe(call, &mut answer);
        }
        world.blur(call, answer)
    }

    /// The process is gone: nobody waits for the answer any more.
    async fn kill(&self) -> ! {
        self.killed.notify_one();
        std::future::pending().await
    }
}

fn no_answer() -> ConnectorError {
    ConnectorError::timeout("no answer within 30 s".into())
}

/// How long tags stay unseen.
const TAGS_LATE: Duration = Duration::from_secs(3);

/// How long every call takes: a quick answer of AWS from within the region.
pub const LATENCY: Duration = Duration::from_millis(40);

/// The client.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    shared: Arc<Shared>,
}

impl Client {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

impl HttpConnector for Client {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let shared = Arc::clone(&self.shared);
        HttpConnectorFuture::new(async move {
            let is_call = call::service(&request).is_some();
            let answer = if is_call { shared.answer(&request).await } else { shared.front_door(&request).await };
            answer.map(Answer::into_response)
        })
    }
}

impl HttpClient for Client {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
