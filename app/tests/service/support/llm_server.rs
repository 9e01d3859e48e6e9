//! A language model that does what it is told, in the protocol of any of the three providers.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What the model does.
#[derive(Clone, Debug)]
pub(crate) enum Model {
    /// It names the candidate of a number, counted from 0.
    Names(usize),
    /// It says something.
    Says(&'static str),
    /// It refuses to say anything.
    Refuses,
    /// It fails with a status, and asks to wait no time.
    Fails(u16),
    /// It asks to wait for so many seconds.
    Busy(&'static str),
    /// It fails once, and names the first candidate then.
    FailsOnce(u16),
    /// Its answer is no JSON at all.
    Garbage,
    /// It never answers.
    Hangs,
}

/// The server, and what it was asked.
#[derive(Clone)]
pub(crate) struct LlmServer {
    pub(crate) base: String,
    model: Arc<Mutex<Model>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// One question.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    /// The data that the judge was given.
    pub(crate) data: Value,
}

impl LlmServer {
    pub(crate) async fn start(model: Model) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/v1", listener.local_addr().unwrap());
        let server = Self { base, model: Arc::new(Mutex::new(model)), asked: Arc::default() };
        let router = Router::new().fallback(answer).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        server
    }

    pub(crate) fn play(&self, model: Model) {
        *self.model.lock().unwrap() = model;
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn answer(State(server): State<LlmServer>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap();
    let path = uri.path().to_owned();
    let last = |list: &str| body[list].as_array().and_then(|list| list.last().cloned()).unwrap_or_default();
    let text = |value: &Value| {
        let parts = value.as_array().and_then(|parts| parts.first());
        parts.map_or(value.clone(), |part| part["text"].clone()).as_str().unwrap_or_default().to_owned()
    };
    let data = if path.ends_with(":generateContent") {
        text(&last("contents")["parts"])
    } else {
        text(&last("messages")["content"])
    };
    let data: Value = serde_json::from_str(&data).unwrap_or_else(|error| panic!("{error}: {data:?} in {body}"));
    server.asked.lock().unwrap().push(Asked { path: path.clone(), headers, body, data: data.clone() });
    let model = server.model.lock().unwrap().clone();
    match model {
        Model::Names(number) => say(&path, &json!({"id": data["candidates"][number]["id"]}).to_string()),
        Model::Says(text) => say(&path, text),
        Model::Refuses => refuse(&path),
        Model::Fails(status) => fail(status, "0"),
        Model::Busy(seconds) => fail(429, seconds),
        Model::FailsOnce(status) => {
            server.play(Model::Names(0));
            fail(status, "0")
        }
        Model::Garbage => "<html>a proxy says no</html>".into_response(),
        Model::Hangs => std::future::pending().await,
    }
}

fn fail(status: u16, retry_after: &'static str) -> Response {
    let body = json!({"error": {"message": "as it was told to"}}).to_string();
    let headers = [("retry-after", retry_after), ("content-type", "application/json")];
    (StatusCode::from_u16(status).unwrap(), headers, body).into_response()
}

/// An answer as each provider writes it, with 900 tokens in and 12 out.
fn say(path: &str, text: &str) -> Response {
    let body = if path.ends_with("/chat/completions") {
        json!({
            "id": "1", "object": "chat.completion", "model": "m",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
            "usage": {"prompt_tokens": 900, "completion_tokens": 12, "total_tokens": 912},
        })
    } else if path.ends_with("/messages") {
        json!({
            "id": "1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn",
            "content": [{"type": "text", "text": text}],
            "usage": {"input_tokens": 900, "output_tokens": 12},
        })
    } else {
        json!({
            "candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": 900, "candidatesTokenCount": 12, "totalTokenCount": 912},
            "modelVersion": "m",
        })
    };
    axum::Json(body).into_response()
}

fn refuse(path: &str) -> Response {
    let body = if path.ends_with("/chat/completions") {
        json!({
            "id": "1", "model": "m", "usage": {},
            "choices": [{"index": 0, "finish_reason": "stop",
                "message": {"role": "assistant", "content": null, "refusal": "I cannot help with that"}}],
        })
    } else if path.ends_with("/messages") {
        json!({"id": "1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "refusal", "content": [], "usage": {}})
    } else {
        json!({"candidates": [{"finishReason": "SAFETY"}], "usageMetadata": {}, "modelVersion": "m"})
    };
    axum::Json(body).into_response()
}
