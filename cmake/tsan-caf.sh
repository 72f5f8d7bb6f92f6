#!/bin/bash
# tsan-caf.sh FOLDER: libcaf_core.so and libcaf_io.so of the installed version, compiled with the
# thread sanitizer from Debian's source package, in FOLDER/lib. With the libraries as Debian ships
# them the tool does not see the atomics by which CAF hands messages over, and calls every such
# hand-over a race. Takes minutes, once; needs the network, and no more rights than to write FOLDER.
set -euo pipefail

folder=$(realpath -m "$1")
version=$(dpkg-query -W -f='${source:Upstream-Version}' libcaf-dev)
done_mark=$folder/done-io-$version
[[ ! -e $done_mark ]] || exit 0
mkdir -p "$folder/lists/partial" "$folder/lib"
cd "$folder"
echo "tsan-caf: compiling CAF $version with the thread sanitizer" >&2

# A list of sources of its own: the machine's settings stay as they are.
. /etc/os-release
cat >sources.list <<END
deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $VERSION_CODENAME main
END
apt=(apt-get -qq -o Dir::Etc::sourcelist="$PWD/sources.list" -o Dir::Etc::sourceparts=/dev/null
  -o Dir::State::lists="$PWD/lists" -o Dir::Cache::srcpkgcache= -o Dir::Cache::pkgcache=
  -o APT::Sandbox::User="$(id -un)")
"${apt[@]}" update
"${apt[@]}" source --download-only --tar-only "actor-framework=$(dpkg-query -W \
  -f='${source:Version}' libcaf-dev)"
tar xf "actor-framework_$version.orig.tar.gz"

rm -rf build # of another version, or with other switches
launcher=()
command -v ccache >/dev/null && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
# The same switches as in Debian's caf/detail/build_config.hpp, which our headers see, and the
# header that a patch of Debian's includes.
CXXFLAGS='-fsanitize=thread -O1 -g1 -fno-omit-frame-pointer -Wno-tsan -include limits' \
LDFLAGS=-fsanitize=thread \
  cmake -S "actor-framework-$version" -B build -G Ninja -DCMAKE_BUILD_TYPE=None \
  -DCAF_LOG_LEVEL=QUIET -DCAF_NO_OPENSSL=yes -DCAF_NO_EXAMPLES=yes -DCAF_NO_UNIT_TESTS=yes \
  "${launcher[@]}" >configure.log
cmake --build build --target libcaf_core_shared libcaf_io_shared -j "${JOBS:-$(nproc)}" >build.log
cp -a build/lib/libcaf_core.so* build/lib/libcaf_io.so* lib/
touch "$done_mark"
