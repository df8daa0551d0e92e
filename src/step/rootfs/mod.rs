//! Collects what a program needs to run, and nothing else, from the file system of an image: its
//! own files, the shared libraries that it loads and those that these load, what the C library
//! reads at run time, CA certificates and time zones. No shell, no package manager.
//!
//! The application's own native modules are looked into as well: a library that one of them
//! wants and the image has not is an error of the build, and names both.

mod collect;
mod elf;
mod libraries;
mod packages;
mod runtime;
mod tree;

use std::path::PathBuf;

use clap::Args;

use collect::Collection;
use libraries::Loader;
use runtime::Runtime;
use tree::Tree;

/// See the module.
#[derive(Debug, Args)]
pub struct Rootfs {
    /// The image's file system
    #[arg(long, default_value = "/base")]
    base: PathBuf,
    /// The folder to write to
    #[arg(long)]
    out: PathBuf,
    /// What kind of program it is: which files beside the binary belong to it
    #[arg(long, value_enum)]
    runtime: Runtime,
    /// The program, as a path or a name on the image's PATH
    #[arg(long)]
    program: Option<String>,
    /// Where programs are looked for
    #[arg(long, default_value = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")]
    path: String,
    /// Further files and folders of the image
    #[arg(long = "keep")]
    keep: Vec<String>,
    /// Packages of the distribution whose files are kept
    #[arg(long = "package")]
    packages: Vec<String>,
    /// A folder with native modules of the application, as PATH=PLACE
    #[arg(long = "scan", value_name = "PATH=PLACE")]
    scan: Vec<String>,
    /// The time on new folders and files, in seconds since 1970
    #[arg(long, default_value_t = 0)]
    epoch: u64,
}

/// What the C library reads at run time, CA certificates and time zones. What an image does not
/// have is left out.
const SYSTEM: [&str; 9] = [
    "/etc/ld.so.cache",
    "/etc/nsswitch.conf",
    "/etc/os-release",
    "/etc/services",
    "/etc/mime.types",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/cert.pem",
    "/etc/ssl/openssl.cnf",
    "/usr/lib/ssl/openssl.cnf",
];

/// Time zones, and the copies of them in other forms that nothing reads.
const ZONES: &str = "/usr/share/zoneinfo";
const NOT_ZONES: [&str; 2] = ["posix", "right"];

/// Libraries that glibc loads without their being asked for by name: name services, and what
/// unwinds a thread that is cancelled or ends.
const SERVICES: [&str; 4] = ["libgcc_s.so.1", "libnss_dns.so.2", "libnss_files.so.2", "libresolv.so.2"];

/// Where Debian's OpenSSL looks for the certificates that it trusts, unless told otherwise.
const TRUSTED: (&str, &str) = ("/usr/lib/ssl/cert.pem", "/etc/ssl/certs/ca-certificates.crt");

impl Rootfs {
    pub(super) fn run(&self) -> Result<(), String> {
        let base = Tree::new(&self.base);
        let mut collection = Collection::default();
        let mut loader = Loader::new(&base);
        for path in SYSTEM {
            collection.keep(&base, path);
        }
        collection.keep_without(&base, ZONES, &|name| NOT_ZONES.contains(&name));
        for path in &self.keep {
            if !collection.keep(&base, path) {
                return Err(format!("the image has no `{path}`"));
            }
        }
        for name in &self.packages {
            let files = packages::files(&base, name)
                .ok_or_else(|| format!("the image has no record of what the package `{name}` installed"))?;
            for path in files {
                collection.keep_file(&base, &path);
            }
        }
        if let Some(program) = &self.program {
            let found = base
                .find_program(program, &self.path)
                .ok_or_else(|| format!("the image has no program `{program}` on its PATH ({})", self.path))?;
            self.runtime.keep(&base, &found, &mut collection);
        }
        loader.follow(&mut collection);
        let mut missing = Vec::new();
        for scan in &self.scan {
            let (path, place) = scan.split_once('=').ok_or_else(|| format!("`{scan}` is no PATH=PLACE"))?;
            missing.extend(loader.follow_modules(path, &PathBuf::from(place), &mut collection));
        }
        if !missing.is_empty() {
            let lines =
                missing.iter().map(|missing| format!("\n  {} wants {}", missing.module, missing.library));
            return Err(format!(
                "the runtime image would lack shared libraries that native modules load:{}\n\
                 add the packages that hold them to `packages`, or use `base: slim` or another image",
                lines.collect::<String>()
            ));
        }
        if loader.uses_glibc() {
            for name in SERVICES {
                loader.want(name, &mut collection);
            }
            loader.follow(&mut collection);
            if collection.has(TRUSTED.1) {
                collection.link(TRUSTED.0, TRUSTED.1);
            }
        }
        collection.write(&base, &self.out, self.epoch)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;
    use std::process::Command;

    use super::*;

    /// A folder of its own for a test.
    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("slipway-rootfs-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        folder
    }

    fn rootfs(base: &Path, out: PathBuf) -> Rootfs {
        Rootfs {
            base: base.to_owned(),
            out,
            runtime: Runtime::Plain,
            program: None,
            path: "/usr/bin:/bin".to_owned(),
            keep: Vec::new(),
            packages: Vec::new(),
            scan: Vec::new(),
            epoch: 1,
        }
    }

    /// This machine's own shell, taken out of its file system, runs in what was collected.
    #[test]
    fn a_program_and_its_libraries_are_enough() {
        let out = folder("sh");
        let request = Rootfs { program: Some("sh".to_owned()), ..rootfs(Path::new("/"), out.clone()) };
        request.run().expect("collected");
        let libraries = Tree::new(&out);
        let shell = libraries.find_program("sh", "/usr/bin:/bin").expect("there");
        let place = libraries.place(&libraries.resolve(&shell).expect("leads somewhere").real);
        let elf = elf::read(&fs::read(&place).expect("readable")).expect("an executable");
        let loader = elf.interpreter.expect("dynamic");
        assert!(libraries.resolve(&loader).is_some(), "the loader {loader} is there");
        // With the collected loader and libraries alone.
        let real = libraries.place(&libraries.resolve(&loader).expect("there").real);
        let folders: Vec<String> =
            ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "lib", "usr/lib", "lib/aarch64-linux-gnu"]
                .iter()
                .map(|path| out.join(path).display().to_string())
                .collect();
        let ran = Command::new(real)
            .args(["--inhibit-cache", "--library-path", &folders.join(":")])
            .arg(place)
            .args(["-c", "echo it runs"])
            .output();
        assert_eq!(String::from_utf8_lossy(&ran.expect("starts").stdout), "it runs\n");
        assert!(!out.join("usr/bin/dpkg").exists() && !out.join("bin/dpkg").exists());
        fs::remove_dir_all(out).expect("it was there");
    }

    #[test]
    fn links_lead_within_the_image() {
        let base = folder("links");
        fs::create_dir_all(base.join("usr/lib/x")).expect("a folder");
        fs::write(base.join("usr/lib/x/file-1.2"), "content").expect("a file");
        symlink("usr/lib", base.join("lib")).expect("a link");
        symlink("/lib/x/file-1.2", base.join("usr/lib/file")).expect("a link");
        symlink("loop", base.join("loop")).expect("a link");
        let tree = Tree::new(&base);
        let found = tree.resolve("/lib/./x/../file").expect("leads somewhere");
        assert_eq!(found.real, "/usr/lib/x/file-1.2");
        assert_eq!(
            found.links,
            [
                ("/lib".to_owned(), "usr/lib".to_owned()),
                ("/usr/lib/file".to_owned(), "/lib/x/file-1.2".to_owned()),
                ("/lib".to_owned(), "usr/lib".to_owned())
            ]
        );
        assert_eq!(tree.resolve("/loop"), None);
        assert_eq!(tree.resolve("/lib/absent"), None);

        let out = folder("links-out");
        let request = Rootfs { keep: vec!["/lib/file".to_owned()], ..rootfs(&base, out.clone()) };
        request.run().expect("collected");
        assert_eq!(fs::read_to_string(out.join("usr/lib/x/file-1.2")).expect("there"), "content");
        assert_eq!(fs::read_link(out.join("lib")).expect("a link").to_string_lossy(), "usr/lib");
        let missing = Rootfs { keep: vec!["/absent".to_owned()], ..rootfs(&base, out.clone()) };
        assert_eq!(missing.run(), Err("the image has no `/absent`".to_owned()));
        for folder in [base, out] {
            fs::remove_dir_all(folder).expect("it was there");
        }
    }

    /// A native module whose library nobody has: found, and both are named.
    #[test]
    fn a_missing_library_is_named_with_its_module() {
        let base = folder("missing-base");
        let modules = folder("missing-app");
        let out = folder("missing-out");
        test_library(&modules.join("native.node"));
        let scan = vec![format!("/app/node_modules={}", modules.display())];
        let request = Rootfs { scan, ..rootfs(&base, out.clone()) };
        let error = request.run().expect_err("refused");
        assert!(error.contains("/app/node_modules/native.node wants libabsent.so.1"), "{error}");
        for folder in [base, modules, out] {
            fs::remove_dir_all(folder).expect("it was there");
        }
    }

    /// A shared library that asks for `libabsent.so.1`. The C compiler is the one that links Rust.
    fn test_library(path: &Path) {
        let folder = path.parent().expect("a folder");
        let absent = folder.join("libabsent.so.1");
        let cc = |args: &[&str]| {
            let status = Command::new("cc").args(args).current_dir(folder).status();
            assert!(status.is_ok_and(|status| status.success()), "cc {args:?}");
        };
        fs::write(folder.join("a.c"), "int a(void) { return 1; }").expect("a file");
        fs::write(folder.join("b.c"), "int a(void); int b(void) { return a(); }").expect("a file");
        cc(&["-shared", "-fPIC", "-Wl,-soname,libabsent.so.1", "-o", "libabsent.so.1", "a.c"]);
        cc(&["-shared", "-fPIC", "-nostdlib", "-o", &path.display().to_string(), "b.c", "libabsent.so.1"]);
        fs::remove_file(absent).expect("it was made");
    }

    #[test]
    fn stripping_leaves_what_is_loaded() {
        let own = fs::read(std::env::current_exe().expect("a path")).expect("readable");
        let whole = elf::read(&own).expect("an executable");
        let stripped = elf::stripped(&own).expect("a test binary has symbols");
        assert!(stripped.len() < own.len());
        assert_eq!(elf::read(&stripped), Some(whole));
        let carries_data = [own.as_slice(), b"payload"].concat();
        assert_eq!(elf::stripped(&carries_data), None, "programs that carry data at their end stay whole");
    }
}
