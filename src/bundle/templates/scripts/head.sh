set -euo pipefail
ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/@{ up }" && pwd)
# shellcheck source=@{ lib_beside }
. "$ROOT/@{ lib }"
