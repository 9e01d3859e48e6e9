//! Plays what a real account answered against the simulation, and says where that answered otherwise.
//!
//! Requests are sent at the moments at which they were sent to AWS, so that things are as old as they were there.
//! Identifiers differ, of course: what AWS called one thing is replaced by what the simulation calls it (`names`).

mod differences;
mod names;
mod recording;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, Result};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use provision::transcript::{Body, Call, error_code};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use crate::answer::Answer;
use crate::runs::certificate;
use crate::tree::Tree;
use crate::{Cloud, REGION, cbor, lock};

use self::names::Names;
pub use self::recording::Recording;

/// A place where the simulation answered otherwise than AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The line of the recording.
    pub line: usize,
    /// When the call was sent, since the recording began.
    pub at: Duration,
    /// The service and the operation.
    pub call: String,
    /// What differs.
    pub what: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, at, call, what } = self;
        write!(f, "line {line}, after {:.1} s, {call}: {what}", at.as_secs_f64())
    }
}

/// What a replay came to.
#[derive(Debug)]
pub struct Replayed {
    /// How many calls were played.
    pub calls: usize,
    /// How many were not, because AWS gave no answer to compare with.
    pub unanswered: usize,
    /// Where the simulation answered otherwise, in the order of the calls.
    pub differences: Vec<Difference>,
}

/// Plays a recording against an empty account. Must be called on a paused tokio clock.
///
/// # Errors
/// When the account cannot be prepared, or a call cannot be sent.
pub async fn replay(recording: &Recording) -> Result<Replayed> {
    let cloud = Cloud::default();
    let names = Arc::new(Mutex::new(prepare(&cloud, recording).await?));
    let began = Instant::now();
    let mut running = VecDeque::new();
    let mut replayed = Replayed { calls: 0, unanswered: 0, differences: Vec::new() };
    for (line, call) in recording.calls() {
        if call.status.is_none() {
            replayed.unanswered += 1;
            continue;
        }
        replayed.calls += 1;
        let at = recording.since_began(call);
        sleep_until(began + at).await;
        // Whoever sent this knew the answers that had arrived by then.
        finish_until(&mut running, at, &mut replayed.differences).await?;
        let request = request(call, &lock(&names)).with_context(|| format!("line {line}"))?;
        running.push_back(Running {
            line,
            at,
            call: call.clone(),
            answer: send(&cloud, request, call.clone(), &names),
        });
    }
    finish_until(&mut running, Duration::MAX, &mut replayed.differences).await?;
    replayed.differences.sort_by_key(|it| it.line);
    Ok(replayed)
}

/// What the recorded account held before: certificates, and images that do not start.
async fn prepare(cloud: &Cloud, recording: &Recording) -> Result<Names> {
    let mut names = Names::default();
    for arn in recording.foreign_certificates() {
        names.learn(&arn, &certificate(cloud).await?);
    }
    let broken = recording.broken_images();
    cloud.world(|world| world.broken_images.extend(broken));
    Ok(names)
}

/// A call that the simulation has not answered yet.
struct Running {
    line: usize,
    at: Duration,
    call: Call,
    answer: JoinHandle<Result<Vec<String>>>,
}

fn send(cloud: &Cloud, request: HttpRequest, call: Call, names: &Arc<Mutex<Names>>) -> JoinHandle<Result<Vec<String>>> {
    let (cloud, names) = (cloud.clone(), Arc::clone(names));
    tokio::spawn(async move {
        let answer = cloud.send(&request).await.map_err(|error| anyhow::anyhow!("{error}"))?;
        let (theirs, ours) = (Tree::of_body(call.answer.as_ref()), Tree::of_text(&answer.body));
        let their_code = their_code(&call);
        if their_code.is_none() && answer.is_ok() {
            let lists = ["Describe", "Filter", "Get", "List"].iter().any(|verb| call.operation.starts_with(verb));
            lock(&names).compare(&theirs, &ours, !lists);
        }
        Ok(differences::between((their_code, &theirs), (our_code(&answer), &ours)))
    })
}

/// The recorder does not read CBOR.
fn their_code(call: &Call) -> Option<String> {
    let code = call.code.as_ref()?;
    match &call.answer {
        Some(body @ Body::Base64(_)) => {
            let json = cbor::read(&body.bytes()).to_string();
            error_code(call.status.unwrap_or_default(), None, json.as_bytes())
        }
        _ => Some(code.clone()),
    }
}

fn our_code(answer: &Answer) -> Option<String> {
    let header = answer.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("x-amzn-errortype"));
    error_code(answer.status, header.map(|(_, code)| code.as_str()), answer.body.as_bytes())
}

/// Waits for the calls that AWS had answered by a moment.
async fn finish_until(running: &mut VecDeque<Running>, moment: Duration, found: &mut Vec<Difference>) -> Result<()> {
    let all = std::mem::take(running);
    for one in all {
        if one.at + Duration::from_millis(one.call.took) > moment {
            running.push_back(one);
            continue;
        }
        let Running { line, at, call, answer } = one;
        let call = format!("{} {}", call.service, call.operation);
        let different = answer.await?.with_context(|| format!("line {line}, {call}"))?;
        found.extend(different.into_iter().map(|what| Difference { line, at, call: call.clone(), what }));
    }
    Ok(())
}

/// The request as it was sent, with the simulation's names and a signature that only says for whom it is.
fn request(call: &Call, names: &Names) -> Result<HttpRequest> {
    let body = match String::from_utf8(call.request.body.bytes()) {
        Ok(text) => SdkBody::from(names.translate(&text)),
        Err(error) => SdkBody::from(error.into_bytes()),
    };
    let mut request = HttpRequest::new(body);
    request.set_method(&call.request.method)?;
    request.set_uri(format!(
        "https://{}.{REGION}.amazonaws.com{}",
        call.service,
        names.translate(&call.request.path)
    ))?;
    let scope = format!("AWS4-HMAC-SHA256 Credential=AKIAREPLAY/20260101/{REGION}/{}/aws4_request", call.service);
    let headers = request.headers_mut();
    headers.insert("authorization", scope);
    for (name, value) in [("x-amz-target", &call.request.target), ("content-type", &call.request.content_type)] {
        if let Some(value) = value {
            headers.insert(name, value.clone());
        }
    }
    Ok(request)
}
