//! An installed PyTorch in place of the wheels.

use std::fs;

use crate::repository::Repository;

#[test]
fn a_site_packages_folder_is_linked_with_its_cuda_libraries() {
    let repository = Repository::new();
    repository.pytorch("packages/torch", "version.py", "__version__ = '2.11.0+cu130'\n");
    repository.write("packages/nvidia/cu13/lib/libcudart.so.13", "");
    let packages = repository.path("packages");
    let variables = [("FAIN_LIBTORCH", packages.to_str().unwrap())];
    let said = format!("xtask: libtorch 2.11.0+cu130 is {}/torch\n", packages.display());

    assert_eq!(repository.run("setup", &variables).success().stderr, said);
    assert_eq!(repository.link("torch"), Some(packages.join("torch")));
    assert_eq!(repository.link("nvidia"), Some(packages.join("nvidia")));
    assert_eq!(
        repository.read("repository/.libtorch/stamp"),
        format!("layout 1\nlibtorch 2.11.0+cu130 from {}/torch\n", packages.display())
    );
    assert!(repository.is_tidy());

    let made = repository.path("repository/.libtorch").metadata().unwrap().modified().unwrap();
    assert_eq!(repository.run("setup", &variables).success().stderr, said);
    let after = repository.path("repository/.libtorch").metadata().unwrap().modified().unwrap();
    assert_eq!(after, made, "the second call changes nothing");
}

#[test]
fn an_unpacked_libtorch_replaces_a_linked_one() {
    let repository = Repository::new();
    repository.set_up();
    repository.pytorch("libtorch", "build-version", "2.11.0+cpu\n");
    let path = repository.path("libtorch");
    repository.run("setup", &[("FAIN_LIBTORCH", path.to_str().unwrap())]).success();
    assert_eq!(repository.link("torch"), Some(path));
    assert_eq!(repository.link("nvidia"), None);
    assert!(repository.exists("installed/torch/version.py"), "what the old link led to stays");
    assert!(repository.is_tidy());
}

#[test]
fn the_link_stays_without_the_variable_and_is_said() {
    let repository = Repository::new();
    repository.set_up();
    let torch = repository.path("installed/torch");
    for variables in [&[][..], &[("FAIN_LIBTORCH", "")][..]] {
        assert_eq!(
            repository.run("setup", variables).success().stderr,
            format!(
                "xtask: libtorch 2.11.0+cpu is {}, linked earlier (`cargo xtask setup --cpu` goes back to the CPU \
                 wheel)\n",
                torch.display()
            )
        );
        assert_eq!(repository.link("torch"), Some(torch.clone()));
    }
}

#[test]
fn a_link_made_by_hand_is_kept() {
    let repository = Repository::new();
    repository.pytorch("packages/torch", "version.py", "__version__ = '2.11.0+cu130'\n");
    std::os::unix::fs::symlink("../packages", repository.path("repository/.libtorch")).unwrap();
    let outcome = repository.run("setup", &[]).success();
    assert!(outcome.stderr.contains("libtorch 2.11.0+cu130 is"), "{}", outcome.stderr);
    assert!(!repository.exists("packages/stamp"), "nothing is written into the PyTorch of someone else");
}

#[test]
fn a_link_whose_pytorch_is_gone_or_upgraded_is_refused() {
    let repository = Repository::new();
    repository.set_up();
    repository.write("installed/torch/version.py", "__version__ = '2.12.0'\n");
    let parts = [
        "installed/torch, which cannot be used any more",
        "Set FAIN_LIBTORCH to another PyTorch",
        "`cargo xtask setup --cpu`",
    ];
    repository
        .run("setup", &[])
        .refused(&parts)
        .refused(&["version.py says this is PyTorch 2.12.0, and needed is 2.11"]);
    fs::remove_dir_all(repository.path("installed")).unwrap();
    repository.run("setup", &[]).refused(&parts).refused(&["No such file"]);
}
