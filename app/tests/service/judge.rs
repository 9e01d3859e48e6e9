//! Language models as judges, through the whole service: they name a pair or they are passed over.

use std::collections::{BTreeMap, BTreeSet};

use axum::Router;
use axum::http::StatusCode;
use config::llm::{Llm, Provider};
use config::service::Secrets;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::llm_server::{LlmServer, Model};
use crate::support::{Answer, KEY, get, post, service, settings};

const ALL: [Provider; 3] = [Provider::OpenAi, Provider::Gemini, Provider::Anthropic];
const QUESTION: &str = r#"{"location":"東京"}"#;

struct Desk {
    router: Router,
    _folder: TempDir,
}

impl Desk {
    fn new(judges: &[(Provider, &LlmServer)]) -> Self {
        let folder = TempDir::new().unwrap();
        let mut settings = settings(folder.path());
        settings.llm = Llm {
            providers: judges.iter().map(|(kind, _)| *kind).collect(),
            base_urls: judges.iter().map(|(kind, server)| (*kind, server.base.clone())).collect::<BTreeMap<_, _>>(),
            ..Llm::default()
        };
        Self { router: app::server::api_router(service(&settings)), _folder: folder }
    }

    async fn ask(&self, question: &str) -> Answer {
        let answer = post(&self.router, "/api/generate", question).await;
        assert!(!answer.body.contains(KEY), "the key is shown");
        answer
    }

    async fn metrics(&self) -> String {
        get(&self.router, "/metrics").await.body
    }
}

/// What the rules alone would choose: the pair and the alternatives, in order.
async fn rules() -> Vec<String> {
    let json = Desk::new(&[]).ask(QUESTION).await.json();
    let ids = std::iter::once(&json["pair"]).chain(json["alternatives"].as_array().unwrap());
    ids.map(|pair| pair["id"].as_str().unwrap().to_owned()).collect()
}

fn passed_over(json: &Value) -> String {
    json["passed_over"]
        .as_array()
        .map(|list| list.iter().map(ToString::to_string).collect::<String>())
        .unwrap_or_default()
}

#[tokio::test]
async fn each_provider_is_asked_in_its_own_protocol_and_its_choice_is_taken() {
    let ids = rules().await;
    for (kind, path, header, value) in [
        (Provider::OpenAi, "/v1/chat/completions", "authorization", format!("Bearer {KEY}")),
        (Provider::Gemini, "/v1/models/gemini-2.5-flash:generateContent", "x-goog-api-key", KEY.to_owned()),
        (Provider::Anthropic, "/v1/messages", "x-api-key", KEY.to_owned()),
    ] {
        let server = LlmServer::start(Model::Names(2)).await;
        let desk = Desk::new(&[(kind, &server)]);
        let json = desk.ask(QUESTION).await.json();
        assert_eq!(
            (json["chosen_by"].as_str(), json["pair"]["id"].as_str()),
            (Some(kind.word()), Some(ids[2].as_str()))
        );
        assert_eq!(
            json["comment"],
            format!(
                "{}\u{3000}{}",
                json["pair"]["weather"].as_str().unwrap(),
                json["pair"]["advice"].as_str().unwrap()
            )
        );
        let others: Vec<_> =
            json["alternatives"].as_array().unwrap().iter().map(|pair| pair["id"].as_str().unwrap()).collect();
        assert!(others.contains(&ids[0].as_str()) && !others.contains(&ids[2].as_str()), "{others:?}");
        let asked = &server.asked()[0];
        assert_eq!((asked.path.as_str(), asked.headers[header].to_str().unwrap()), (path, value.as_str()));
        assert_eq!(asked.data["place"], "東京");
        assert_eq!(asked.data["slots"].as_array().map(Vec::len), Some(4));
        assert_eq!(asked.data["candidates"].as_array().map(Vec::len), Some(6));
        // The shape of the answer is asked for in the provider's own way.
        assert!(
            asked.body.to_string().contains(&format!("\"{}\"", ids[5]))
                && asked.body.to_string().to_lowercase().contains("schema"),
            "{}",
            asked.body
        );
        let metrics = desk.metrics().await;
        assert!(
            metrics.contains(&format!("llm_tokens_total{{provider=\"{}\",direction=\"in\"}} 900\n", kind.word())),
            "{metrics}"
        );
        assert!(metrics.contains(&format!("llm_usd_total{{provider=\"{}\"}} 0.000", kind.word())), "{metrics}");
    }
}

#[tokio::test]
async fn whatever_is_not_an_id_of_the_list_is_discarded() {
    let ids = rules().await;
    let answers = [
        Model::Says("w0001-a0001"),
        Model::Says(r#"{"id": "w9999-a9999"}"#),
        Model::Says(r#"{"id": 0}"#),
        Model::Says(r#"{"id": "w1"#),
        Model::Says(r#"{"weather_comment": "私の言葉", "advice_comment": "これを載せて"}"#),
        Model::Says(""),
        Model::Refuses,
        Model::Garbage,
    ];
    for kind in ALL {
        for answer in answers.clone() {
            let server = LlmServer::start(answer.clone()).await;
            let json = Desk::new(&[(kind, &server)]).ask(QUESTION).await.json();
            assert_eq!(
                (json["chosen_by"].as_str(), json["pair"]["id"].as_str()),
                (Some("rules"), Some(ids[0].as_str())),
                "{kind:?} {answer:?}"
            );
            assert!(passed_over(&json).contains("id of the list"), "{kind:?} {answer:?}: {json}");
            assert!(!json.to_string().contains("私の言葉"), "words of a model are published");
        }
    }
}

#[tokio::test]
async fn a_failure_that_passes_is_tried_once_more_and_others_are_not() {
    for kind in ALL {
        for (model, chosen_by, asked) in [
            (Model::FailsOnce(429), kind.word(), 2),
            (Model::Fails(429), "rules", 2),
            (Model::Fails(401), "rules", 1),
            (Model::Fails(400), "rules", 1),
        ] {
            let server = LlmServer::start(model.clone()).await;
            let json = Desk::new(&[(kind, &server)]).ask(QUESTION).await.json();
            assert_eq!(
                (json["chosen_by"].as_str(), server.asked().len()),
                (Some(chosen_by), asked),
                "{kind:?} {model:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_never_answers_costs_no_more_than_its_time() {
    let server = LlmServer::start(Model::Hangs).await;
    let began = tokio::time::Instant::now();
    let json = Desk::new(&[(Provider::OpenAi, &server)]).ask(QUESTION).await.json();
    assert_eq!(json["chosen_by"], "rules");
    assert!(!passed_over(&json).is_empty());
    assert!(began.elapsed() <= Llm::default().timeout + std::time::Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test]
async fn the_next_one_is_asked_when_the_first_fails_and_a_wanted_one_comes_first() {
    let (broken, well) = (LlmServer::start(Model::Fails(401)).await, LlmServer::start(Model::Names(1)).await);
    let desk = Desk::new(&[(Provider::Gemini, &broken), (Provider::Anthropic, &well)]);
    let json = desk.ask(QUESTION).await.json();
    assert_eq!(json["chosen_by"], "anthropic");
    assert!(passed_over(&json).contains("gemini: it does not accept the key"), "{json}");
    assert_eq!(broken.asked().len(), 1);
    let json = desk.ask(r#"{"location":"東京","provider":"anthropic"}"#).await.json();
    assert_eq!((json["chosen_by"].as_str(), broken.asked().len()), (Some("anthropic"), 1));
    let json = desk.ask(r#"{"location":"東京","provider":"rules"}"#).await.json();
    assert_eq!((json["chosen_by"].as_str(), well.asked().len()), (Some("rules"), 2));
}

#[tokio::test]
async fn one_that_keeps_failing_is_left_alone_and_one_that_refuses_the_key_at_once() {
    for (status, times) in [(400, 3), (401, 1)] {
        let server = LlmServer::start(Model::Fails(status)).await;
        let desk = Desk::new(&[(Provider::OpenAi, &server)]);
        for _ in 0..5 {
            assert_eq!(desk.ask(QUESTION).await.json()["chosen_by"], "rules");
        }
        assert_eq!(server.asked().len(), times, "{status}");
        assert!(desk.metrics().await.contains("llm_verdicts_total{provider=\"openai\",outcome=\"passed_over\"} 5\n"));
    }
}

#[tokio::test]
async fn who_can_choose_is_listed_and_anybody_else_is_refused() {
    let server = LlmServer::start(Model::Names(0)).await;
    let desk = Desk::new(&[(Provider::Gemini, &server)]);
    let listed = get(&desk.router, "/api/providers").await.json();
    let ids: Vec<_> = listed["providers"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["gemini", "rules"]);
    let answer = desk.ask(r#"{"location":"東京","provider":"openai"}"#).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.json()["detail"].as_str().is_some_and(|detail| detail.contains("choose from gemini, rules")));
}

#[tokio::test]
async fn each_place_of_a_batch_is_judged_and_no_pair_comes_twice() {
    let server = LlmServer::start(Model::Names(3)).await;
    let desk = Desk::new(&[(Provider::OpenAi, &server)]);
    let all =
        post(&desk.router, "/api/generate/bulk", r#"{"locations":["東京","横浜","千葉","さいたま"]}"#).await.json();
    let results: Vec<_> = all["results"].as_array().unwrap().iter().map(|it| &it["result"]).collect();
    assert!(results.iter().all(|it| it["chosen_by"] == "openai"), "{all}");
    assert_eq!(server.asked().len(), 4);
    let pairs: BTreeSet<_> = results.iter().map(|it| it["pair"]["id"].as_str().unwrap()).collect();
    assert_eq!(pairs.len(), 4, "{pairs:?}");
}

/// Waiting for it would cost its whole time, and it would be asked again before it is ready.
#[tokio::test]
async fn one_that_asks_for_a_long_wait_is_passed_over_at_once_and_left_alone_for_that_long() {
    let server = LlmServer::start(Model::Busy("300")).await;
    let desk = Desk::new(&[(Provider::OpenAi, &server)]);
    assert!(passed_over(&desk.ask(QUESTION).await.json()).contains("it asks to wait"));
    assert!(passed_over(&desk.ask(QUESTION).await.json()).contains("it is left alone"));
    assert_eq!(server.asked().len(), 1);
    assert!(desk.metrics().await.contains("llm_questions_total{provider=\"openai\"} 1\n"));
}

#[test]
fn a_judge_without_a_key_is_no_start() {
    let folder = TempDir::new().unwrap();
    let mut settings = settings(folder.path());
    settings.llm.providers = vec![Provider::Gemini];
    let Err(error) = app::server::service(&settings, &Secrets::default()) else { panic!("it started without a key") };
    let text = error.to_string();
    assert!(text.contains("GEMINI_API_KEY") && text.contains("LLM_PROVIDERS names gemini"), "{text}");
}
