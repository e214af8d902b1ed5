#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Join the page's sources, and uPlot if it is there, into one document, as C strings.
#
# usage: join.sh UPLOT_DIR   the unpacked package, or a folder that is not there; C goes to stdout
#
# The document's Content-Security-Policy names its style and its script by their hashes, so that a
# browser runs and applies nothing else.
set -eu
here=$(dirname "$0")
uplot=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

if [ -f "$uplot/dist/uPlot.iife.min.js" ]; then
    cat "$uplot/dist/uPlot.min.css" > "$work/style"
    { printf '/*! uPlot, built in here\n\n'; cat "$uplot/LICENSE"; printf '\n*/\n'
      cat "$uplot/dist/uPlot.iife.min.js"; echo; } > "$work/script"
fi
cat "$here/page.css" >> "$work/style"
{ printf '"use strict";\n{\n'; cat "$here/words.js" "$here/page.js"; printf '}\n'; } >> "$work/script"

# what stands between the tags is hashed: the line end behind the first one belongs to it
hash() {
    { echo; cat "$1"; } | sha256sum | cut -c 1-64 | sed 's/../& /g' | tr ' ' '\n' | while read -r octet; do
        [ -z "$octet" ] || printf "\\$(printf %03o "0x$octet")"
    done | base64
}
policy="default-src 'none'; script-src 'sha256-$(hash "$work/script")'; style-src \
'sha256-$(hash "$work/style")'; img-src data:; connect-src 'self'; base-uri 'none'; \
form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

quoted() { sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/?/\\?/g' -e 's/.*/    "&\\n"/'; }
echo "/* made by join.sh */"
echo '#include "web/page.h"'
printf 'const char page_policy[] =\n    "%s";\n' "$policy; frame-ancestors 'none'"
echo "const char page_head[] ="
sed -e '/^@data@$/,$d' -e "s|@policy@|$policy|" "$here/page.html" |
    sed -e "/^@style@\$/{
r $work/style
d
}" | quoted
echo ";"
echo "const size_t page_head_octets = sizeof(page_head) - 1;"
echo "const char page_tail[] ="
sed '1,/^@data@$/d' "$here/page.html" | sed -e "/^@script@\$/{
r $work/script
d
}" | quoted
echo ";"
echo "const size_t page_tail_octets = sizeof(page_tail) - 1;"
