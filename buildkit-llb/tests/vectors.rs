//! The canonical bytes: vectors that BuildKit's own Go types gave, and graphs that come out
//! the same in whatever order they were built.

#![allow(clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use buildkit_llb::{
    Chown, Copy, Exec, File, LineRange, Location, MakeFile, Metadata, Mount, Output, Platform, SourceFile,
    merge, read, source,
};
use buildkit_proto::pb;

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes it");
        text
    })
}

fn amd64() -> Platform {
    Platform::linux("amd64")
}

fn busybox() -> Output {
    source::image("docker.io/library/busybox:latest").platform(&amd64()).build(&Metadata::default())
}

fn run_true(base: &Output) -> Output {
    Exec::new(["/bin/sh", "-c", "true"])
        .env("PATH", "/bin")
        .mount(Mount::bind("/", base).with_output())
        .platform(&amd64())
        .build(&Metadata::default())
        .root()
}

#[track_caller]
fn assert_op(output: &Output, bytes: &str, digest: &str) {
    assert_eq!(hex(output.op_bytes()), bytes);
    assert_eq!(output.digest(), format!("sha256:{digest}"));
}

#[track_caller]
fn assert_terminal(output: &Output, bytes: &str, digest: &str) {
    let definition = output.marshal();
    assert_eq!(definition.def.last().map(|op| hex(op)).as_deref(), Some(bytes));
    assert!(definition.metadata.contains_key(&format!("sha256:{digest}")));
}

#[test]
fn v1_image_and_v2_terminal() {
    let image = source::image("docker.io/library/busybox:latest").build(&Metadata::default());
    assert_op(
        &image,
        "1a310a2f646f636b65722d696d6167653a2f2f646f636b65722e696f2f6c6962726172792f62757379626f783a6c6174657374",
        "74ecb5d790c33a213ba00f8f43d62947df1d4dea72f5ec13353a9b943f469f0f",
    );
    assert_terminal(
        &image,
        "0a490a477368613235363a37346563623564373930633333613231336261303066386634336436323934376466316434646561373266356563313333353361396239343366343639663066",
        "fdd990931001ae92f1971673ff21204ef6a5ccc8c1a4dd133d8f0f9bff67a3c2",
    );
}

#[test]
fn v3_platform_comes_before_the_oneof() {
    assert_op(
        &busybox(),
        "520e0a05616d64363412056c696e75781a310a2f646f636b65722d696d6167653a2f2f646f636b65722e696f2f6c6962726172792f62757379626f783a6c6174657374",
        "a3b466f6d3d96ab903acf284e2cb37333e7c279d811687c1e943abe9d25c4e96",
    );
}

#[test]
fn v4_local_attributes_are_sorted() {
    let local = source::local("context")
        .session("s1")
        .shared_key_hint("context")
        .follow(&["spec.yml".to_owned()])
        .build(&Metadata::default());
    assert_op(
        &local,
        "1a690a0f6c6f63616c3a2f2f636f6e7465787412210a116c6f63616c2e666f6c6c6f777061746873120c5b22737065632e796d6c225d12130a0d6c6f63616c2e73657373696f6e12027331121e0a136c6f63616c2e7368617265646b657968696e741207636f6e74657874",
        "fc5be6a81c0218a81022b8802f3978296d0a1c9aeecdb752fcbce0e60b85288e",
    );
}

#[test]
fn v5_make_file() {
    let file = MakeFile {
        path: "/foo".to_owned(),
        mode: 0o644,
        data: b"data".to_vec(),
        owner: None,
        timestamp: buildkit_llb::Timestamp::Unset,
    };
    let made = File::on_scratch().make_file(file).build(&Metadata::default()).expect("one action");
    assert_op(
        &made,
        "2234123208ffffffffffffffffff0110ffffffffffffffffff012a1a0a042f666f6f10a4031a046461746128ffffffffffffffffff01",
        "d76eed4176cd679c08195cca611aa6c791eb038594a1fa69cf8d7a72263ef9f4",
    );
}

#[test]
fn v6_exec_and_v7_terminal() {
    let ran = run_true(&busybox());
    assert_op(
        &ran,
        "0a490a477368613235363a61336234363666366433643936616239303361636632383465326362333733333365376332373964383131363837633165393433616265396432356334653936520e0a05616d64363412056c696e7578122a0a230a072f62696e2f73680a022d630a04747275651209504154483d2f62696e1a012f580112031a012f",
        "98e87ac4057472d9711477036be3b76865a5204bb0d1027c3d411f8822a4a4f6",
    );
    assert_terminal(
        &ran,
        "0a490a477368613235363a39386538376163343035373437326439373131343737303336626533623736383635613532303462623064313032376333643431316638383232613461346636",
        "059d7e5c515c854a6878fcb717b91a0a144dc3cae2b93d0386ae4c96a7950625",
    );
}

#[test]
fn v8_copy() {
    let base = busybox();
    let mut copy = Copy::new("/app/dist", "/app/dist");
    copy.owner = Some(Chown::ids(1001, 1001));
    let copied =
        File::on(&base).copy(&run_true(&base), copy).build(&Metadata::default()).expect("one action");
    assert_op(
        &copied,
        "0a490a477368613235363a613362343636663664336439366162393033616366323834653263623337333333653763323739643831313638376331653934336162653964323563346539360a490a477368613235363a3938653837616334303537343732643937313134373730333662653362373638363561353230346262306431303237633364343131663838323261346134663622481246100122420a092f6170702f6469737412092f6170702f646973741a0a0a0310e907120310e90720ffffffffffffffffff012801300140014801500158ffffffffffffffffff01",
        "3acc11d326d54d2d9cbdb20ee4f9258fa2a3e54ae2105cf1d7ffb5855e56937d",
    );
}

#[test]
fn v9_merge() {
    let base = busybox();
    let merged = merge(&[base.clone(), run_true(&base)], &Metadata::default()).expect("two layers");
    assert_op(
        &merged,
        "0a490a477368613235363a613362343636663664336439366162393033616366323834653263623337333333653763323739643831313638376331653934336162653964323563346539360a490a477368613235363a3938653837616334303537343732643937313134373730333662653362373638363561353230346262306431303237633364343131663838323261346134663632060a000a020801",
        "945eb45bf680bdb5976c961bb9a8a01abc0a6299fbe3f2564f7f2ea668ade8ab",
    );
}

#[test]
fn v10_empty_attributes_stay() {
    let image = source::image("docker.io/library/busybox:latest")
        .attr("", "x")
        .attr("image.resolvemode", "")
        .build(&Metadata::default());
    assert_op(
        &image,
        "1a4f0a2f646f636b65722d696d6167653a2f2f646f636b65722e696f2f6c6962726172792f62757379626f783a6c617465737412050a0012017812150a11696d6167652e7265736f6c76656d6f64651200",
        "b1f728d0846aad4d481f27817806fd912d72c5941e563a47ab48316f5d056130",
    );
}

/// The same two branches, made in either order.
#[test]
fn the_order_of_building_does_not_matter() {
    let build = |left_first: bool| {
        let base = busybox();
        let left = || {
            File::on(&base)
                .copy(&base, Copy::new("/l", "/left"))
                .build(&Metadata::named("left"))
                .expect("an action")
        };
        let right = || run_true(&base);
        let layers = if left_first {
            let left = left();
            [left, right()]
        } else {
            let right = right();
            [left(), right]
        };
        merge(&layers, &Metadata::named("merge")).expect("two layers").marshal()
    };
    assert_eq!(build(true), build(false));
    assert_eq!(build(true).def.len(), 5, "the shared base is there once");
}

/// Mounts come in any order; the root's output is always the first.
#[test]
fn the_order_of_mounts_does_not_matter() {
    let base = busybox();
    let root = || Mount::bind("/", &base).with_output();
    let out = || Mount::scratch("/out").with_output();
    let one = Exec::new(["x"]).mount(root()).mount(out()).build(&Metadata::default());
    let other = Exec::new(["x"]).mount(out()).mount(root()).build(&Metadata::default());
    assert_eq!(one.root(), other.root());
    assert_eq!(one.at("/out"), other.at("/out"));
    assert_ne!(one.root(), one.at("/out").expect("an output"));
}

#[test]
fn every_op_has_metadata_and_every_located_op_its_lines() {
    let file = Arc::new(SourceFile {
        filename: "spec.yaml".to_owned(),
        data: b"one\ntwo\n".to_vec(),
        language: "YAML".to_owned(),
        definition: None,
    });
    let located = |line| {
        let ranges = vec![LineRange { first: line, last: line }];
        Metadata::named("x").location(Location { file: file.clone(), ranges })
    };
    let image = source::image("docker.io/library/busybox:latest").build(&located(1));
    let made = File::on(&image).copy(&image, Copy::new("/a", "/b")).build(&located(2)).expect("an action");
    let definition = made.marshal();
    assert_eq!(definition.metadata.len(), definition.def.len());
    let source = definition.source.as_ref().expect("a source map");
    assert_eq!(source.infos.len(), 1);
    let line =
        |output: &Output| source.locations[output.digest()].locations[0].ranges[0].start.map(|p| p.line);
    assert_eq!((line(&image), line(&made)), (Some(1), Some(2)));
    assert_eq!(read(&definition).expect("reads").expect("not scratch").marshal(), definition);
}

#[test]
fn what_is_no_graph_is_refused() {
    use buildkit_llb::ReadError;
    assert_eq!(read(&pb::Definition::default()), Ok(None));
    let mut definition = run_true(&busybox()).marshal();
    definition.def.remove(0);
    assert!(matches!(read(&definition), Err(ReadError::UnknownInput(_))));
    definition.def.pop();
    assert_eq!(read(&definition), Err(ReadError::NoResult));
    definition.def.push(vec![0xff]);
    assert_eq!(read(&definition), Err(ReadError::Malformed(1)));
}

/// One input for both sides would be shorter; BuildKit's daemon panics on it.
#[test]
fn a_diff_with_itself_has_two_inputs() {
    use prost::Message;
    let base = busybox();
    let nothing = buildkit_llb::diff(Some(&base), Some(&base), &Metadata::default());
    let op = pb::Op::decode(nothing.op_bytes()).expect("decodes");
    assert_eq!(op.inputs.len(), 2);
    let Some(pb::op::Op::Diff(diff)) = op.op else { panic!("no diff") };
    assert_eq!(
        (diff.lower.map(|lower| lower.input), diff.upper.map(|upper| upper.input)),
        (Some(0), Some(1))
    );
}
