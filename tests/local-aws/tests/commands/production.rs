//! On production, what cannot be undone takes the environment's name.

use local_aws::commands::{piped, typed};
use provision::cli::Exit;

use crate::desk::{Desk, has};

#[tokio::test(start_paused = true)]
async fn production_is_changed_only_by_its_name_or_by_saying_so_in_the_arguments() {
    let desk = Desk::new().await;
    let layout = desk.layout().to_str().unwrap().to_owned();
    let certificate = format!("edge.certificate_arn={}", desk.certificate);
    let ours = ["--environment", "production", "--set", &certificate];
    let at_terminal = async |verb: &[&str], answer: &str| typed(&desk.cloud, &[verb, &ours].concat(), answer).await;
    let in_pipe = async |verb: &[&str]| piped(&desk.cloud, &[verb, &ours].concat(), "").await;
    let deploy = [&["deploy", "--image-layout", &layout], &ours[..]].concat();
    for habit in ["y\n", "yes\n", "staging\n", "\n"] {
        let said = typed(&desk.cloud, &deploy, habit).await;
        assert_eq!(said.exit, Exit::Refused, "{habit:?}");
        has(&said.talk, &["deploy this to production? Type production to go on", "nothing was changed"]);
    }
    let said = typed(&desk.cloud, &deploy, "production\n").await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);

    let said = in_pipe(&["destroy", "--yes"]).await;
    assert_eq!(said.exit, Exit::Refused);
    has(&said.talk, &["on --yes alone", "--confirm production"]);
    let said = in_pipe(&["destroy", "--yes", "--confirm", "staging"]).await;
    assert_eq!(said.exit, Exit::Refused);
    has(&said.talk, &["--confirm names staging, but this is production"]);
    assert_eq!(in_pipe(&["destroy", "--confirm", "production"]).await.exit, Exit::Refused, "--yes is missing");
    let said = at_terminal(&["destroy", "--yes"], "y\n").await;
    assert_eq!(said.exit, Exit::Refused, "--yes does not spare the name");
    let destroyed = desk.cloud.calls().iter().any(|call| call.operation == "DeleteService");
    assert!(!destroyed, "nothing was removed until it was confirmed");
    let said = in_pipe(&["destroy", "--yes", "--confirm", "production"]).await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
}

#[tokio::test(start_paused = true)]
async fn where_nobody_can_be_asked_yes_is_enough_to_deploy_production() {
    let desk = Desk::new().await;
    let layout = desk.layout().to_str().unwrap();
    let certificate = format!("edge.certificate_arn={}", desk.certificate);
    let deploy = ["deploy", "--image-layout", layout, "--environment", "production", "--set", &certificate];
    let said = piped(&desk.cloud, &deploy, "production\n").await;
    assert_eq!(said.exit, Exit::Refused, "nobody typed that name");
    has(&said.talk, &["will not deploy this to production without being asked on a terminal; pass --yes"]);
    assert!(!desk.cloud.calls().iter().any(|call| call.operation == "CreateVpc"));
    let said = piped(&desk.cloud, &[&deploy[..], &["--yes"]].concat(), "").await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
}
