//! Two listeners, one for the page and one for the API, until the process is asked to stop.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, HeaderValue, Request, StatusCode, header};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::get;
use config::service::{App, Secrets};
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use crate::forecasts::{Forecasts, Limits};
use crate::history::History;
use crate::judge::Judge;
use crate::service::{Busy, LONGEST_BATCH, Service};
use crate::weather::Source;
use crate::{api, pages};

/// The largest question: 142 names take 4 kB.
const LARGEST_BODY: usize = 64 * 1024;
/// Nothing takes so long unless something is stuck: a batch ends by itself before.
const SLOWEST_ANSWER: Duration = LONGEST_BATCH.saturating_add(Duration::from_secs(15));

/// Wires the real parts together.
///
/// # Errors
/// When the weather source or a judge cannot be set up, or when its key is missing.
pub fn service(settings: &App, secrets: &Secrets) -> Result<Service> {
    let limits = Limits {
        entries: NonZeroUsize::new(settings.memory_entries).context("CACHE_MEMORY_ENTRIES must not be 0")?,
        memory_ttl: settings.memory_ttl,
        file_ttl: settings.file_ttl,
        folder: settings.cache_dir.join("forecast"),
        radius_km: f64::from(settings.spatial_radius_km),
    };
    Ok(Service {
        forecasts: Forecasts::new(Source::of(settings, secrets)?, limits),
        judge: Judge::of(&settings.llm, secrets)?,
        history: History::new(settings.cache_dir.join("comments"), settings.history_days),
        workers: settings.workers,
        fixed_now: settings.now,
        made: AtomicU64::new(0),
        failed: AtomicU64::new(0),
        refused: AtomicU64::new(0),
        busy: Busy::default(),
    })
}

/// Every address of the page's listener. The API is not among them: it would hide that the load balancer's rule for it
/// is wrong or missing.
pub fn page_router(service: Arc<Service>) -> Router {
    router(pages::routes().fallback(pages::not_found), service, pages::broken)
}

/// Every address of the API's listener.
pub fn api_router(service: Arc<Service>) -> Router {
    router(api::routes().fallback(api::not_found), service, api::broken)
}

/// What both listeners have in common; `broken` says in a listener's own way that a request was given up, or broke.
fn router(own: Router<Arc<Service>>, service: Arc<Service>, broken: fn(StatusCode) -> Response) -> Router {
    own.merge(health())
        .with_state(service)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, SLOWEST_ANSWER))
        .layer(CatchPanicLayer::new())
        .layer(map_response(move |answer: Response| async move {
            match answer.status() {
                status @ (StatusCode::GATEWAY_TIMEOUT | StatusCode::INTERNAL_SERVER_ERROR) if !is_ours(&answer) => {
                    broken(status)
                }
                _ => answer,
            }
        }))
        .layer(security())
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(trace())
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
}

/// Whether a handler wrote it, and not one of the layers, which know no more than plain text.
fn is_ours(answer: &Response) -> bool {
    let kind = answer.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    kind.is_some_and(|kind| !kind.starts_with(b"text/plain"))
}

fn health() -> Router<Arc<Service>> {
    Router::new()
        .route("/health", get(api::health))
        .route("/health/live", get(api::health))
        .route("/health/ready", get(api::health))
        .route("/metrics", get(api::metrics))
}

type Security = tower::layer::util::Stack<SetResponseHeaderLayer<HeaderValue>, SetResponseHeaderLayer<HeaderValue>>;

/// Nothing from other hosts, nothing inline, no framing.
fn security() -> Security {
    let policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                  form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    let set = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
    };
    tower::layer::util::Stack::new(
        set(header::CONTENT_SECURITY_POLICY, policy),
        set(header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    )
}

type Trace = TraceLayer<
    tower_http::classify::SharedClassifier<tower_http::classify::ServerErrorsAsFailures>,
    fn(&Request<axum::body::Body>) -> tracing::Span,
>;

fn trace() -> Trace {
    TraceLayer::new_for_http().make_span_with(span as fn(&Request<axum::body::Body>) -> tracing::Span)
}

fn span(request: &Request<axum::body::Body>) -> tracing::Span {
    let id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    tracing::info_span!("request", id, method = %request.method(), path = request.uri().path())
}

/// Takes a port, or says who else might have it.
///
/// # Errors
/// When the address cannot be listened on.
pub async fn listen(address: SocketAddr, variable: &str) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}; stop what uses port {}, or set {variable} to another one", address.port())
    })
}

/// Serves both until `stop` is done, then lets running requests finish.
///
/// # Errors
/// When a listener breaks.
pub async fn serve(
    page: TcpListener,
    api: TcpListener,
    service: Arc<Service>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let (stopping, stopped) = tokio::sync::watch::channel(false);
    tokio::spawn(async move {
        stop.await;
        stopping.send_replace(true);
    });
    let wait = |mut stopped: tokio::sync::watch::Receiver<bool>| async move {
        // The sender lives as long as the process.
        drop(stopped.wait_for(|stopped| *stopped).await);
    };
    let page = axum::serve(page, page_router(Arc::clone(&service))).with_graceful_shutdown(wait(stopped.clone()));
    let api = axum::serve(api, api_router(service)).with_graceful_shutdown(wait(stopped));
    tokio::try_join!(page.into_future(), api.into_future()).context("serving")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use tempfile::TempDir;
    use tower::ServiceExt as _;

    use super::*;
    use crate::service::tests::service;

    /// What a listener says of a handler, over time that nobody waits for.
    async fn said(path: &str, broken: fn(StatusCode) -> Response) -> (StatusCode, String, String) {
        let folder = TempDir::new().unwrap();
        let own = Router::new()
            .route("/hangs", get(std::future::pending::<()>))
            .route("/panics", get(|| async { panic!("a secret thing") as () }));
        let router = router(own, service(&folder, 1, [].into()), broken);
        let answer = router.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
        let kind = answer.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
        assert!(
            answer.headers().contains_key("x-request-id") && answer.headers().contains_key("content-security-policy")
        );
        let (status, body) = (answer.status(), axum::body::to_bytes(answer.into_body(), 10_000).await.unwrap());
        (status, kind, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_given_up_or_breaks_is_answered_in_each_listener_s_own_way() {
        for (path, status, problem, page) in [
            ("/hangs", StatusCode::GATEWAY_TIMEOUT, "ask again", "もう一度"),
            ("/panics", StatusCode::INTERNAL_SERVER_ERROR, "x-request-id", "管理者"),
        ] {
            let began = tokio::time::Instant::now();
            let (said_status, kind, body) = said(path, api::broken).await;
            assert_eq!((said_status, kind.as_str()), (status, "application/problem+json"), "{path}");
            assert!(body.contains(problem) && !body.contains("secret"), "{body}");
            assert!(began.elapsed() <= SLOWEST_ANSWER + Duration::from_secs(1), "{path}");
            let (said_status, kind, body) = said(path, pages::broken).await;
            assert_eq!((said_status, kind.as_str()), (status, "text/html; charset=utf-8"), "{path}");
            assert!(body.contains(page) && body.contains("href=\"/\""), "{body}");
        }
    }
}
