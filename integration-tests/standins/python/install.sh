#!/bin/sh
# Debian's interpreter, headers and pip moved to where the official images have them: under
# /usr/local with site-packages, and no Python among Debian's packages.
set -eu
minor=$1
lib=/usr/local/lib/python$minor wheels=/usr/share/python-wheels
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# Up to 3.11 there is a distutils, which Debian splits off, and the images bring setuptools.
distutils='' setuptools=''
if [ "$minor" = 3.11 ]; then distutils='python3-distutils python3-lib2to3' setuptools=setuptools; fi
# shellcheck disable=SC2086 # a list
apt-get install -y -qq --no-install-recommends python3-venv $distutils ca-certificates netbase tzdata media-types >/dev/null

cp -a "/usr/bin/python$minor" /usr/local/bin/
cp -a "/usr/lib/python$minor" /usr/local/lib/
cp -a "$wheels" /tmp/wheels
cd /tmp
# Unpacked, not installed: it depends on a C library's headers, which a slim image lacks.
apt-get download -qq "libpython$minor-dev" 2>/dev/null
dpkg -x libpython*.deb dev
mkdir -p /usr/local/include
cp -a "dev/usr/include/python$minor" /usr/local/include/
cp dev/usr/include/*/"python$minor/pyconfig.h" "/usr/local/include/python$minor/"

# The libraries that it links stay, and the wheels that venv installs.
apt-get purge -y -qq 'python3*' 'libpython3*' >/dev/null
apt-mark manual '.*' >/dev/null
apt-get clean
mv /tmp/wheels "$wheels"
rm -rf /tmp/* /var/lib/apt/lists/* /var/cache/apt /usr/lib/python3* /usr/share/python3

# Debian's install scheme turned back into the upstream one. Its search path is compiled in.
cd "$lib"
rm -rf EXTERNALLY-MANAGED sitecustomize.py _distutils_system_mod.py
mkdir site-packages
ln -s site-packages dist-packages
for file in sysconfig.py sysconfig/__init__.py; do
  [ ! -e "$file" ] || sed -i "s/prefix_scheme = 'posix_local'/prefix_scheme = 'posix_prefix'/" "$file"
done
sed -i "s#/usr/\(include\|lib\)/python3#/usr/local/\1/python3#g; s#prefix': '/usr'#prefix': '/usr/local'#" _sysconfigdata__*.py

cd /usr/local/bin
ln -s "python$minor" python3
ln -s python3 python
PYTHONPATH=$(echo "$wheels"/pip-*.whl) python3 -m pip install -q --no-index --root-user-action=ignore --find-links="$wheels" pip ${setuptools:+"$setuptools"}
python3 -m compileall -q "$lib"
