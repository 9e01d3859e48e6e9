//! Plays what a real account answered against the simulation, and says where that answered otherwise.
//!
//! Requests are sent at the moments at which they were sent to AWS, so that things are as old as they were there.
//! What AWS did and the simulation refuses is tried again until it does it, too; what AWS had finished and the simulation
//! has not is looked at again until it has; and everything after that is as much later. So a duration that differs is
//! one difference, and not the first of hundreds.
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
use provision::wait::human;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

use crate::answer::Answer;
use crate::runs::certificate;
use crate::tree::Tree;
use crate::{Cloud, REGION, cbor, lock};

use self::names::Names;
pub use self::recording::Recording;

/// For how long the simulation may be behind: what is being released holds on for so long at most.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// For how long it may not show what is new.
const SIGHT: Duration = Duration::from_secs(10);

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
    let mut late = Duration::ZERO;
    let mut running = VecDeque::new();
    let mut replayed = Replayed { calls: 0, unanswered: 0, differences: Vec::new() };
    for (line, call) in recording.calls() {
        if call.status.is_none() {
            replayed.unanswered += 1;
            continue;
        }
        replayed.calls += 1;
        let at = recording.since_began(call);
        sleep_until(began + at + late).await;
        // Whoever sent this knew the answers that had arrived by then.
        finish_until(&mut running, at, &mut replayed.differences).await?;
        late = began.elapsed().saturating_sub(at);
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
        let reads = reads(&call);
        let their_code = their_code(&call);
        let theirs = Tree::of_body(call.answer.as_ref());
        let began = Instant::now();
        let mut first = None;
        let mut pause = Duration::from_millis(250);
        let (answer, ours, behind) = loop {
            let answer = cloud.send(&request).await.map_err(|error| anyhow::anyhow!("{error}"))?;
            let ours = Tree::of_text(&answer.body);
            let behind = behind(&call, their_code.as_deref(), our_code(&answer).as_deref(), (&theirs, &ours));
            match &behind {
                Some((seen, patience)) if began.elapsed() < *patience => first.get_or_insert(seen.clone()),
                _ => break (answer, ours, behind),
            };
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(10));
        };
        if their_code.is_none() && answer.is_ok() {
            lock(&names).compare(&theirs, &ours, !reads);
        }
        let mut found = differences::between((their_code, &theirs), (our_code(&answer), &ours));
        if let Some(first) = first.filter(|_| behind.is_none() && found.is_empty()) {
            let later = human(began.elapsed());
            found.push(format!("the simulation {first} at first, and answered as AWS {later} later"));
        }
        Ok(found)
    })
}

fn reads(call: &Call) -> bool {
    ["Describe", "Filter", "Get", "List"].iter().any(|verb| call.operation.starts_with(verb))
}

/// In what the simulation is not yet where AWS was, if time alone can mend that, and how long it may take.
fn behind(
    call: &Call,
    their_code: Option<&str>,
    our_code: Option<&str>,
    (theirs, ours): (&Tree, &Tree),
) -> Option<(String, Duration)> {
    match (their_code, our_code, reads(call)) {
        (None, Some(code), false) => Some((format!("refused with {code}"), PATIENCE)),
        (None, None, true) => match differences::on_its_way(theirs, ours) {
            Some(state) => Some((format!("said [{state}]"), PATIENCE)),
            None if differences::shows_nothing(theirs, ours) => Some(("showed nothing".to_owned(), SIGHT)),
            None => None,
        },
        _ => None,
    }
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
    let bytes = call.request.body.bytes();
    let content_type = call.request.content_type.as_deref().unwrap_or_default();
    let body = if content_type == cbor::CONTENT_TYPE {
        SdkBody::from(cbor::write(&names.translate_value(&cbor::read(&bytes))))
    } else {
        match String::from_utf8(bytes) {
            Ok(text) if content_type.contains("form-urlencoded") => SdkBody::from(names.translate_form(&text)),
            Ok(text) => SdkBody::from(names.translate(&text)),
            Err(error) => SdkBody::from(error.into_bytes()),
        }
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
