#!/bin/sh
# Debian's Maven, its plugins and a few libraries, unpacked into /out: installed, they would bring
# Debian's Java along.
set -eu
apt-get update -qq
packages='maven libmaven-resolver-transport-http-java libsurefire-java junit4 junit5 libgoogle-gson-java'
for plugin in assembly clean compiler dependency deploy enforcer install jar resources shade site source; do
  packages="$packages libmaven-$plugin-plugin-java"
done
mkdir /deb /tree
cd /deb
# shellcheck disable=SC2086 # a list
names=$(apt-get install -s --no-install-recommends $packages unzip | awk '/^Inst/ && $2 !~ /^(openjdk-|default-j)/ {print $2}')
# shellcheck disable=SC2086 # a list
apt-get download -qq $names 2>/dev/null
for package in *.deb; do dpkg -x "$package" /tree; done
cp /context/settings.xml /tree/etc/maven/

# A project that names no plugin versions gets those that Maven's jars name: Debian's stand in.
unzip() { /tree/usr/bin/unzip -p "/tree/usr/share/java/$1" "$2"; }
plugins=/tree/usr/share/maven-repo/org/apache/maven/plugins
{ unzip maven3-core.jar 'META-INF/plexus/*.xml' | grep -oE 'maven-[a-z]+-plugin:[0-9.]+' | tr : ' '
  unzip maven3-model-builder.jar org/apache/maven/model/pom-4.0.0.xml | tr -d '\n' |
    grep -oE '<artifactId>maven-[a-z]+-plugin</artifactId> *<version>[0-9.]+' | sed 's#<[^>]*># #g'
} | sort -u | while read -r name version; do
  if [ ! -d "$plugins/$name" ] || [ -d "$plugins/$name/$version" ]; then continue; fi
  there=$(cd "$plugins/$name" && find . -name '*.jar' | cut -d/ -f2 | sort -V | tail -n 1)
  mkdir "$plugins/$name/$version"
  cat > "$plugins/$name/$version/$name-$version.pom" <<POM
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>org.apache.maven.plugins</groupId><artifactId>$name</artifactId><version>$version</version>
  <distributionManagement><relocation><version>$there</version></relocation></distributionManagement>
</project>
POM
done

# Without the links to /etc and /usr/share/java.
mkdir -p /out/usr/share
ln -s /tree/etc/maven /etc/maven
find -L /tree/usr/share/maven* -type l -print -delete # links to what was left out
cp -rL /tree/usr/share/maven /tree/usr/share/maven-repo /out/usr/share/
