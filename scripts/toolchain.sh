# Sourced by setup, setup-dev and setup-examples, from the root of the checkout: stamps, and virtual environments with an explanation.
mkdir -p .tools

# A checksum of the files that say what to install.
stamp() { cat "$@" | cksum | tr -d ' \n'; }
ready() { [ -f ".tools/$1.stamp" ] && [ "$(cat ".tools/$1.stamp")" = "$2" ]; }

fail() {
  if [ -s .tools/setup.log ]; then tail -n 15 .tools/setup.log >&2; fi
  echo "setup: $*" >&2
  exit 1
}

# Prints the first Python that is >= 3.9 and can make a virtual environment: $PYTHON, python3, or any python3.N.
find_python() {
  old=""
  bare=""
  for python in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11 python3.10 python3.9 python; do
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2> /dev/null) || continue
    if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 9))'; then
      old="$old $python ($version)"
    elif ! "$python" -c 'import venv, ensurepip' 2> /dev/null; then
      bare="$bare $python ($version)"
    else
      echo "$python"
      return
    fi
  done
  : > .tools/setup.log
  if [ -n "$bare" ]; then
    fail "no virtual environment can be made with$bare: the modules venv and ensurepip are missing; on Debian and Ubuntu: apt-get install python3-venv"
  fi
  fail "Python >= 3.9 is needed, found:${old:- none}; set PYTHON=/path/to/python3 if it is not on the PATH"
}

# make_venv FOLDER REQUIREMENTS
make_venv() {
  python=$(find_python)
  rm -rf "$1"
  "$python" -m venv "$1" > .tools/setup.log 2>&1 || fail "$python -m venv $1 failed; on Debian and Ubuntu: apt-get install python3-venv"
  "$1/bin/python" -m pip install --quiet --disable-pip-version-check --retries 2 -r "$2" > .tools/setup.log 2>&1 ||
    fail "pip could not install $2; is the package index reachable from here (pip config list, proxy)?"
}
