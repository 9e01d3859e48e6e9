//! Why a place has no comment, in the words of the page; the API and the logs say it in English.

use crate::domain::choice::NoChoice;
use crate::service::NoComment;
use crate::weather::WeatherError;

/// A place without a comment.
pub(super) struct Failure {
    pub(super) place: String,
    /// What is wrong, and what an editor can do about it.
    pub(super) reason: String,
    /// What whoever runs the service wants to read.
    pub(super) detail: String,
}

impl Failure {
    pub(super) fn of(place: String, error: &NoComment) -> Self {
        let reason = match error {
            NoComment::UnknownPlace { suggestions, .. } if suggestions.is_empty() => {
                "一覧にない地点です。地点の選択から選んでください。".to_owned()
            }
            NoComment::UnknownPlace { suggestions, .. } => {
                format!("一覧にない地点です。もしかして：{}", suggestions.join("、"))
            }
            NoComment::Weather(error) => weather(error),
            NoComment::Late => "時間内に予報が届きませんでした。もう一度作ってください。".to_owned(),
            NoComment::Rules(NoChoice::NoForecast) => format!("{NOTHING_YET}{AGAIN}"),
            NoComment::Rules(NoChoice::NothingLeft { .. }) => {
                "この日の天気に使える承認済みの組み合わせがありません。コメントは手で作ってください。".to_owned()
            }
        };
        Self { place, reason, detail: error.to_string() }
    }
}

fn weather(error: &WeatherError) -> String {
    let (what, next) = match error {
        WeatherError::Unreachable(_) => ("天気データの提供元につながりません。", AGAIN),
        WeatherError::Busy { .. } => ("天気データの提供元が混み合っています。", AGAIN),
        WeatherError::Failed { .. } => ("天気データの提供元でエラーが起きました。", AGAIN),
        WeatherError::Down { again_in, .. } => {
            let seconds = again_in.as_secs_f64().ceil();
            return format!("天気データの提供元が止まっています。{seconds}秒後からもう一度作れます。");
        }
        WeatherError::Refused(_) => ("天気データの提供元が問い合わせを受け付けません。", OPERATOR),
        WeatherError::KeyRefused => ("天気データの提供元がAPIキーを受け付けません。", OPERATOR),
        WeatherError::Unreadable(_) => ("天気データを読み取れません。", OPERATOR),
        WeatherError::NoData => ("天気データの提供元にこの地点の予報がありません。", OPERATOR),
        WeatherError::Empty => (NOTHING_YET, AGAIN),
    };
    format!("{what}{next}")
}

const NOTHING_YET: &str = "この日の予報がまだありません。";

/// What passes by itself.
const AGAIN: &str = "しばらくしてからもう一度作ってください。";

/// What an editor cannot mend.
const OPERATOR: &str = "管理者に知らせてください。";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use config::rules::Rule;

    use super::*;

    #[test]
    fn every_failure_is_said_in_japanese_with_what_to_do_and_its_detail() {
        let reason = String::from("status 503");
        let down = WeatherError::Down { reason: reason.clone(), again_in: Duration::from_millis(1500) };
        let unknown = |suggestions| NoComment::UnknownPlace { name: "東".to_owned(), suggestions };
        for (error, said) in [
            (WeatherError::Unreachable(reason.clone()).into(), format!("天気データの提供元につながりません。{AGAIN}")),
            (WeatherError::Busy { retry_after: None }.into(), format!("天気データの提供元が混み合っています。{AGAIN}")),
            (
                WeatherError::Failed { status: 503, retry_after: None }.into(),
                format!("天気データの提供元でエラーが起きました。{AGAIN}"),
            ),
            (down.into(), "天気データの提供元が止まっています。2秒後からもう一度作れます。".to_owned()),
            (
                WeatherError::Refused(reason.clone()).into(),
                format!("天気データの提供元が問い合わせを受け付けません。{OPERATOR}"),
            ),
            (WeatherError::KeyRefused.into(), format!("天気データの提供元がAPIキーを受け付けません。{OPERATOR}")),
            (WeatherError::NoData.into(), format!("天気データの提供元にこの地点の予報がありません。{OPERATOR}")),
            (WeatherError::Empty.into(), format!("この日の予報がまだありません。{AGAIN}")),
            (WeatherError::Unreadable(reason).into(), format!("天気データを読み取れません。{OPERATOR}")),
            (NoChoice::NoForecast.into(), format!("この日の予報がまだありません。{AGAIN}")),
            (
                NoChoice::NothingLeft { worst: Rule::P1 }.into(),
                "この日の天気に使える承認済みの組み合わせがありません。コメントは手で作ってください。".to_owned(),
            ),
            (NoComment::Late, "時間内に予報が届きませんでした。もう一度作ってください。".to_owned()),
            (unknown(vec![]), "一覧にない地点です。地点の選択から選んでください。".to_owned()),
            (unknown(vec!["東京", "伊東"]), "一覧にない地点です。もしかして：東京、伊東".to_owned()),
        ] {
            let failure = Failure::of("東京".to_owned(), &error);
            assert_eq!((failure.reason, failure.detail), (said, error.to_string()));
        }
    }
}
