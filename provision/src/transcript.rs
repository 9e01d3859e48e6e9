//! A transcript of every call to AWS and its answer, one JSON document a line, without secrets.
//!
//! It is made when `PROVISION_RECORD` names a file. What AWS really did can then be played against the simulation of
//! the tests, which shows where that is wrong (`cargo xtask acceptance --replay FILE`).

mod body;
mod redaction;

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, Metadata};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

pub use body::{Body, error_code};

/// One call, as one line of a transcript.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Which call of its run it is.
    pub number: u64,
    /// When it was sent, in milliseconds since 1970.
    pub at: u64,
    /// How long the answer took, in milliseconds.
    pub took: u64,
    /// The service's name in signatures, as `elasticloadbalancing`.
    pub service: String,
    /// The operation, as `CreateLoadBalancer`.
    pub operation: String,
    /// What was sent.
    pub request: Request,
    /// The status of the answer; nothing when there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The error code, if AWS refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Body>,
}

/// What of a request matters to the one who answers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The HTTP method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The header `x-amz-target`, where the protocol has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The header `content-type`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The fields.
    pub body: Body,
}

/// A file that every call is appended to. Clones write into the same file.
#[derive(Clone, Debug)]
pub struct Transcript {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    file: Mutex<File>,
    /// Several runs may share a file, so times are counted from the same moment in all of them.
    began: (Duration, Instant),
    number: AtomicU64,
}

impl Transcript {
    /// Opens a file to append to, or makes it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn append_to(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        // It names everything that exists in the account.
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = Mutex::new(options.open(path)?);
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let shared = Shared { file, began: (since_1970, Instant::now()), number: AtomicU64::new(0) };
        Ok(Self { shared: Arc::new(shared) })
    }

    pub(crate) fn interceptor(&self) -> Recorder {
        Recorder { transcript: self.clone() }
    }

    fn now(&self) -> u64 {
        let (since_1970, began) = self.shared.began;
        u64::try_from((since_1970 + began.elapsed()).as_millis()).unwrap_or(u64::MAX)
    }

    /// A transcript with a gap is better than a deploy that fails because a disk is full.
    fn write(&self, call: &Call) {
        let line = serde_json::to_string(call).expect("a call consists of texts and numbers") + "\n";
        let mut file = self.shared.file.lock().unwrap_or_else(PoisonError::into_inner);
        // In one piece, because others may append to the same file.
        if let Err(error) = file.write_all(line.as_bytes()) {
            tracing::warn!("the transcript misses {} {}: {error}", call.service, call.operation);
        }
    }
}

/// The interceptor that writes.
#[derive(Debug)]
pub(crate) struct Recorder {
    transcript: Transcript,
}

/// When an attempt was sent; attempts that never were have no line.
#[derive(Clone, Copy, Debug)]
struct Sent {
    number: u64,
    at: u64,
}

impl Storable for Sent {
    type Storer = StoreReplace<Self>;
}

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Recorder {
    fn name(&self) -> &'static str {
        "ProvisionTranscript"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        settings: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let number = self.transcript.shared.number.fetch_add(1, Ordering::Relaxed) + 1;
        settings.interceptor_state().store_put(Sent { number, at: self.transcript.now() });
        Ok(())
    }

    // Here the answer has been read to its end.
    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        settings: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (Some(sent), Some(request)) = (settings.load::<Sent>().copied(), context.request()) else { return Ok(()) };
        let metadata = settings.load::<Metadata>();
        let answered = context.response().map(|response| {
            let content_type = response.headers().get("content-type").unwrap_or_default();
            let bytes = response.body().bytes().unwrap_or_default();
            let status = response.status().as_u16();
            let code = error_code(status, response.headers().get("x-amzn-errortype"), bytes);
            (status, code, Body::read(content_type, bytes))
        });
        let (status, code, answer) = match answered {
            Some((status, code, answer)) => (Some(status), code, Some(answer)),
            None => (None, None, None),
        };
        self.transcript.write(&Call {
            number: sent.number,
            at: sent.at,
            took: self.transcript.now() - sent.at,
            service: service(request),
            operation: metadata.map(|it| it.name().to_owned()).unwrap_or_default(),
            request: of_request(request),
            status,
            code,
            answer,
        });
        Ok(())
    }
}

/// The service's name out of the signature, of which nothing else is kept.
fn service(request: &HttpRequest) -> String {
    let signature = request.headers().get("authorization").unwrap_or_default();
    let scope = signature.split("Credential=").nth(1).unwrap_or_default();
    scope.split('/').nth(3).unwrap_or_default().to_owned()
}

fn of_request(request: &HttpRequest) -> Request {
    let header = |name: &str| request.headers().get(name).map(ToOwned::to_owned);
    let content_type = header("content-type");
    let after_host = request.uri().split_once("://").map_or(request.uri(), |(_, rest)| rest);
    let path = after_host.find('/').map_or("/", |start| &after_host[start..]);
    let body = Body::read(content_type.as_deref().unwrap_or_default(), request.body().bytes().unwrap_or_default());
    Request {
        method: request.method().to_owned(),
        path: path.to_owned(),
        target: header("x-amz-target"),
        content_type,
        body,
    }
}
