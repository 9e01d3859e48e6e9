//! A deploy as a step of a GitHub workflow.

use local_aws::commands::in_workflow;
use local_aws::runs::image_layout;
use provision::cli::{Exit, Workflow};

use crate::desk::{Desk, has};

#[tokio::test(start_paused = true)]
async fn a_workflow_gets_annotations_a_summary_and_its_name_in_the_history() {
    let desk = Desk::new().await;
    let summary = desk.layout().with_extension("md");
    let workflow = Workflow {
        actor: Some("alice".to_owned()),
        url: Some("https://github.com/weather/service/actions/runs/7".to_owned()),
        summary: Some(summary.clone()),
    };
    let layout = desk.layout().to_str().unwrap().to_owned();
    let certificate = format!("edge.certificate_arn={}", desk.certificate);
    let words = ["deploy", "--yes", "--image-layout", &layout, "--set", &certificate];
    let said = in_workflow(&desk.cloud, &words, workflow.clone()).await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
    has(&said.talk, &["::group::Plan for staging in ap-northeast-1\n", "::endgroup::\n", "::notice title=provision::"]);
    assert!(!said.results.lines().any(|line| line.starts_with("::")), "results stay clean: {}", said.results);
    let text = std::fs::read_to_string(&summary).unwrap();
    has(&text, &["### Plan for staging", "| VPC | network | created: it does not exist |", "### deploy of staging"]);
    has(&text, &["the service is at https://", "USD a month", "| ECS service | service | created |"]);
    has(&desk.run(&["history"]).await.results, &["for alice https://github.com/weather/service/actions/runs/7"]);

    std::fs::remove_dir_all(desk.layout()).unwrap();
    let bad = image_layout(desk.layout(), "ends at once").unwrap().to_string();
    desk.cloud.world(|world| world.broken_images.insert(bad));
    let said = in_workflow(&desk.cloud, &words, workflow).await;
    assert_eq!(said.exit, Exit::Failed);
    let error = said.talk.lines().find(|line| line.starts_with("::error title=ECS service service failed::")).unwrap();
    has(error, &["Essential container in task exited", "%0A"]);
    let words = ["deploy", "--output", "json", "--image-layout", &layout, "--set", &certificate];
    let said = in_workflow(&desk.cloud, &words, Workflow::default()).await;
    assert!(said.talk.lines().all(|line| line.starts_with('{')), "JSON lines stay clean: {}", said.talk);
    std::fs::remove_file(summary).unwrap();
}
