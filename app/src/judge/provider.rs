//! One language model: asked within a time, twice at most, and its tokens counted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use config::llm::Provider as Kind;
use genai::adapter::AdapterKind;
use genai::chat::{ChatMessage, ChatOptions, ChatRequest, ChatResponse, JsonSpec};
use genai::resolver::{AuthData, Endpoint};
use genai::{Client, ModelIden, ServiceTarget};
use reqwest::header::RETRY_AFTER;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use super::NoVerdict;
use crate::breaker::Breaker;

/// Once more, if the failure was of the kind that passes.
const ATTEMPTS: u32 = 2;
/// The pause between, when none was asked for.
const PAUSE: Duration = Duration::from_millis(500);
/// For so long one that keeps failing is left alone.
const REST: Duration = Duration::from_secs(60);
/// An id takes a dozen; some models think aloud before.
const LONGEST_ANSWER: u32 = 1024;

/// A provider.
#[derive(Debug)]
pub struct Provider {
    kind: Kind,
    model: String,
    base: String,
    key: SecretString,
    timeout: Duration,
    client: Client,
    breaker: Breaker,
    /// What it was used for.
    pub counts: Counts,
}

/// What a provider was used for, since the start.
#[derive(Debug, Default)]
pub struct Counts {
    /// How many questions were sent to it.
    pub asked: AtomicU64,
    /// How often it chose.
    pub chosen: AtomicU64,
    /// How often it was passed over.
    pub passed_over: AtomicU64,
    /// Tokens that were sent.
    pub tokens_in: AtomicU64,
    /// Tokens that came back.
    pub tokens_out: AtomicU64,
}

impl Provider {
    pub(super) fn new(
        kind: Kind,
        base: &str,
        model: &str,
        key: SecretString,
        timeout: Duration,
        http: reqwest::Client,
    ) -> Result<Self> {
        Ok(Self {
            kind,
            model: model.to_owned(),
            // The client joins paths to it.
            base: format!("{}/", base.trim_end_matches('/')),
            key,
            timeout,
            client: Client::builder().with_reqwest(http).build()?,
            breaker: Breaker::new(REST),
            counts: Counts::default(),
        })
    }

    /// Who it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its model.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// What it has cost so far in dollars, if the price of its model is known.
    pub fn usd(&self) -> Option<f64> {
        let price = config::llm::price(&self.model)?;
        let tokens =
            |counter: &AtomicU64| f64::from(u32::try_from(counter.load(Ordering::Relaxed)).unwrap_or(u32::MAX));
        Some((tokens(&self.counts.tokens_in) * price.input + tokens(&self.counts.tokens_out) * price.output) / 1e6)
    }

    pub(super) fn succeeded(&self) {
        self.breaker.succeeded();
        self.counts.chosen.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn failed(&self, error: &NoVerdict) {
        let asked = if let NoVerdict::Busy { retry_after } = error { *retry_after } else { None };
        // One that rests has not failed again.
        if *error != NoVerdict::Resting
            && let Some(rest) = self.breaker.failed(error, *error == NoVerdict::KeyRefused, asked)
        {
            tracing::error!(provider = self.kind.word(), %error, seconds = rest.as_secs(), "a judge is left alone");
        }
        self.counts.passed_over.fetch_add(1, Ordering::Relaxed);
    }

    /// Asks for an answer of a shape.
    pub(super) async fn ask(
        &self,
        instructions: &str,
        data: &str,
        schema: &Value,
    ) -> std::result::Result<String, NoVerdict> {
        self.breaker.check().map_err(|_| NoVerdict::Resting)?;
        let request = ChatRequest::from_system(instructions).append_message(ChatMessage::user(data));
        let options = ChatOptions::default()
            .with_max_tokens(LONGEST_ANSWER)
            .with_temperature(0.0)
            .with_response_format(JsonSpec::new("choice", schema.clone()));
        let began = Instant::now();
        let tries = async {
            let mut attempt = 1;
            loop {
                self.counts.asked.fetch_add(1, Ordering::Relaxed);
                let error = match self.client.exec_chat(self.target(), request.clone(), Some(&options)).await {
                    Ok(answer) => return self.text_of(answer),
                    Err(error) => no_verdict(&error),
                };
                let pause = match &error {
                    NoVerdict::Busy { retry_after } => retry_after.unwrap_or(PAUSE),
                    NoVerdict::Failed(status) if *status >= 500 => PAUSE,
                    NoVerdict::Unreachable => PAUSE,
                    _ => return Err(error),
                };
                // What it asks for counts, not that we would be late.
                if attempt == ATTEMPTS || began.elapsed() + pause >= self.timeout {
                    return Err(error);
                }
                attempt += 1;
                sleep(pause).await;
            }
        };
        timeout(self.timeout, tries).await.unwrap_or(Err(NoVerdict::Late))
    }

    fn target(&self) -> ServiceTarget {
        let adapter = match self.kind {
            Kind::OpenAi => AdapterKind::OpenAI,
            Kind::Gemini => AdapterKind::Gemini,
            Kind::Anthropic => AdapterKind::Anthropic,
        };
        ServiceTarget {
            endpoint: Endpoint::from_owned(self.base.clone()),
            auth: AuthData::from_single(self.key.expose_secret()),
            model: ModelIden::new(adapter, self.model.clone()),
        }
    }

    fn text_of(&self, answer: ChatResponse) -> std::result::Result<String, NoVerdict> {
        let count = |tokens: Option<i32>| u64::try_from(tokens.unwrap_or(0)).unwrap_or(0);
        self.counts.tokens_in.fetch_add(count(answer.usage.prompt_tokens), Ordering::Relaxed);
        self.counts.tokens_out.fetch_add(count(answer.usage.completion_tokens), Ordering::Relaxed);
        answer.into_first_text().ok_or(NoVerdict::NotAnId)
    }
}

/// What a failure means. The client's own words can hold the whole question and answer, so they are not kept.
fn no_verdict(error: &genai::Error) -> NoVerdict {
    use genai::Error::{ChatResponse, ChatResponseGeneration, HttpError, NoChatResponse, WebAdapterCall, WebModelCall};
    use genai::webc::Error::{JsonValueExt, Reqwest, ResponseFailedInvalidJson, ResponseFailedNotJson};
    let (status, headers) = match error {
        HttpError { status, headers, .. } => (Some(*status), Some(headers.as_ref())),
        WebModelCall { webc_error, .. } | WebAdapterCall { webc_error, .. } => match webc_error {
            ResponseFailedNotJson { .. } | ResponseFailedInvalidJson { .. } | JsonValueExt(_) => {
                return NoVerdict::NotAnId;
            }
            Reqwest(error) if error.is_decode() => return NoVerdict::NotAnId,
            other => (other.status(), other.headers()),
        },
        ChatResponseGeneration { .. } | ChatResponse { .. } | NoChatResponse { .. } => return NoVerdict::NotAnId,
        _ => (None, None),
    };
    match status.map(|status| status.as_u16()) {
        None => NoVerdict::Unreachable,
        Some(401 | 403) => NoVerdict::KeyRefused,
        Some(429) => {
            let seconds = headers.and_then(|headers| headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok());
            NoVerdict::Busy { retry_after: seconds.map(Duration::from_secs) }
        }
        Some(status) => NoVerdict::Failed(status),
    }
}
