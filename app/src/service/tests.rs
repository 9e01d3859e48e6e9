//! Batches: whose forecast comes first must not matter. Time is tokio's, so nobody waits.

use std::collections::HashMap;
use std::num::NonZeroUsize;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use tempfile::TempDir;

use super::*;
use crate::forecasts::Limits;
use crate::weather::Source;

/// Places of one weather, so that they want the same pairs; Kyoto and Otsu are neighbours.
const PLACES: [&str; 12] =
    ["東京", "横浜", "さいたま", "千葉", "熊谷", "京都", "大津", "奈良", "大阪", "神戸", "彦根", "天国"];

pub(crate) fn service(folder: &TempDir, workers: usize, delays: HashMap<String, Duration>) -> Arc<Service> {
    let limits = Limits {
        entries: NonZeroUsize::MIN.saturating_add(99),
        memory_ttl: Duration::from_secs(300),
        file_ttl: Duration::from_secs(21_600),
        folder: folder.path().join("forecast"),
        radius_km: 10.0,
    };
    Arc::new(Service {
        forecasts: Forecasts::new(Source::Delayed(delays), limits),
        judge: None,
        history: History::new(folder.path().join("comments"), 400),
        workers,
        fixed_now: Some("2026-11-24T01:00:00Z".parse().unwrap()),
        made: AtomicU64::new(0),
        refused: AtomicU64::new(0),
        failed: AtomicU64::new(0),
        busy: Busy::default(),
    })
}

/// What a batch publishes when each place's forecast takes so many seconds.
fn batch(seconds: &[u64], workers: usize) -> Vec<(String, Option<String>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let folder = TempDir::new().unwrap();
        let delays = PLACES.iter().zip(seconds).map(|(name, it)| ((*name).to_owned(), Duration::from_secs(*it)));
        let service = service(&folder, workers, delays.collect());
        let names = PLACES.iter().map(|name| (*name).to_owned()).collect();
        let results: Vec<_> = service.batch(names, By::Rules).collect().await;
        results.into_iter().map(|(name, result)| (name, result.ok().map(|it| it.choice.pair.id))).collect()
    })
}

fn asked(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(20_261_124),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(asked(24))]

    #[test]
    fn a_batch_is_the_same_whatever_forecast_comes_first(
        // Even one worker is done within the time of a batch.
        seconds in prop::collection::vec(0_u64..9, PLACES.len()),
        workers in 1_usize..13,
    ) {
        let shuffled = batch(&seconds, workers);
        prop_assert_eq!(&shuffled, &batch(&[0; PLACES.len()], 1));
        let names: Vec<_> = shuffled.iter().map(|(name, _)| name.as_str()).collect();
        prop_assert_eq!(names, PLACES);
    }
}

#[test]
fn places_of_one_weather_share_no_pair_and_one_that_fails_fails_alone() {
    let results = batch(&[3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8], 4);
    let pairs: BTreeSet<_> = results.iter().filter_map(|(_, pair)| pair.as_ref()).collect();
    assert_eq!(pairs.len(), PLACES.len() - 1, "{results:?}");
    assert_eq!(results.last(), Some(&("天国".to_owned(), None)));
}

#[tokio::test(start_paused = true)]
async fn a_result_leaves_as_soon_as_those_before_it_have_left_and_a_late_one_does_not_stop_the_work() {
    let folder = TempDir::new().unwrap();
    let delays = [("東京", 1), ("横浜", 20), ("千葉", 2), ("熊谷", 2), ("奈良", 2)];
    let names: Vec<_> = delays.iter().map(|(name, _)| (*name).to_owned()).collect();
    let delays = delays.map(|(name, seconds)| (name.to_owned(), Duration::from_secs(seconds)));
    let service = service(&folder, 2, HashMap::from(delays));
    let began = tokio::time::Instant::now();
    let left: Vec<_> =
        service.batch(names, By::Rules).map(|(name, _)| (name, began.elapsed().as_secs())).collect().await;
    let left: Vec<_> = left.iter().map(|(name, seconds)| (name.as_str(), *seconds)).collect();
    assert_eq!(left, [("東京", 1), ("横浜", 20), ("千葉", 20), ("熊谷", 20), ("奈良", 20)]);
}

#[tokio::test(start_paused = true)]
async fn when_the_time_of_a_batch_is_over_only_places_without_a_forecast_fail() {
    let folder = TempDir::new().unwrap();
    let delays = [("東京", 60), ("横浜", 30), ("千葉", 30), ("熊谷", 1)];
    let names: Vec<_> = delays.iter().map(|(name, _)| (*name).to_owned()).collect();
    let delays = delays.map(|(name, seconds)| (name.to_owned(), Duration::from_secs(seconds)));
    let service = service(&folder, 1, HashMap::from(delays));
    let began = tokio::time::Instant::now();
    let results: Vec<_> = Arc::clone(&service).batch(names, By::Rules).map(|(_, result)| result).collect().await;
    assert_eq!(began.elapsed().as_secs(), LONGEST_BATCH.as_secs());
    let [Ok(_), Ok(_), Err(NoComment::Late), Err(NoComment::Late)] = &results[..] else { panic!("{results:?}") };
    assert_eq!(service.busy.work(), LONGEST_BATCH, "what was given up was work, too");
    assert_eq!(service.busy.there(), LONGEST_BATCH);
}

#[tokio::test(start_paused = true)]
async fn tasks_on_one_disk_do_not_repeat_each_other_from_day_to_day() {
    let folder = TempDir::new().unwrap();
    let task = |now: &str| {
        let mut task = Arc::into_inner(service(&folder, 4, HashMap::new())).unwrap();
        task.fixed_now = Some(now.parse().unwrap());
        task
    };
    let (one, mut other) = (task("2026-11-23T01:00:00Z"), task("2026-11-23T01:00:00Z"));
    let generate = async |task: &Service| task.generate("東京", &BTreeSet::new(), By::Rules).await.unwrap().choice;
    // The other task has been running for long, and has listed the folder before anything was there.
    other.generate("大阪", &BTreeSet::new(), By::Rules).await.unwrap();
    tokio::time::advance(Duration::from_secs(60)).await;
    let published = generate(&one).await.pair.id;
    tokio::time::advance(Duration::from_secs(60)).await;
    other.fixed_now = Some("2026-11-24T01:00:00Z".parse().unwrap());
    let recent = other.history.recent().await;
    let day = jiff::civil::date(2026, 11, 25);
    assert!(recent.resting(Rules::embedded(), "東京", day).contains(&published.as_str()));
    let next = generate(&other).await;
    assert!(std::iter::once(&next.pair).chain(&next.alternatives).all(|pair| pair.id != published));
}

/// A choice that a judge has changed, of a day of one weather.
async fn comment(service: &Service, place: &str, index: usize) -> Comment {
    let mut comment = service.generate(place, &BTreeSet::new(), By::Rules).await.unwrap();
    comment.take(index);
    comment
}

#[tokio::test(start_paused = true)]
async fn a_pair_that_judges_name_again_and_again_goes_to_the_next_best() {
    let folder = TempDir::new().unwrap();
    let service = service(&folder, 1, HashMap::new());
    let mut published = Recent::default();
    published.begin(3);
    let mut first = comment(&service, "東京", 2).await;
    let named = first.choice.pair.id.clone();
    first.settle(&mut published);
    assert_eq!(first.choice.pair.id, named, "nobody had it yet");
    let mut second = first.clone();
    second.settle(&mut published);
    assert!(second.choice.pair.id != named && second.comment == second.choice.pair.text());
    assert!(second.choice.reasons.last().unwrap().contains("次の候補"));
    assert!(second.choice.alternatives.iter().any(|pair| pair.id == named));
}
