/**
 * What others made of the executables, besides the packages of npm: Bun and what is linked into it, and what of GCC and
 * glibc is shipped. The list is that of Bun's LICENSE.md, without what it has for other systems, and what its executable
 * names beside that (`process.versions`, its strings).
 *
 * A part is `{ name, version, licence, copyright, source, note }`. Its licence is an expression of SPDX identifiers;
 * `version` may be missing, if neither says which one it is.
 */

/** How parts under the LGPL can be replaced in an executable. */
const relinking =
  "You may replace it: build Bun with your version of it (https://bun.com/docs/project/licensing), and pack the scripts " +
  "of cni-passthrough with that Bun (npm run build:standalone). The scripts are in the npm package and in its sources."

const bun = {
  name: "Bun",
  version: "1.4.5",
  licence: "MIT",
  copyright: ["Copyright (c) the authors of Bun"],
  source: "https://github.com/oven-sh/bun"
}

/** What is linked into Bun. */
const linked = [
  {
    name: "JavaScriptCore and WTF of WebKit",
    version: "d6375c72affe0f70222cdcb45012b10f0bf3a9d5",
    licence: "LGPL-2.1-or-later AND BSD-2-Clause",
    copyright: [
      "Copyright (C) 1999-2001 Harri Porten",
      "Copyright (C) 2001 Peter Kelly",
      "Copyright (C) 2003-2026 Apple Inc. and other authors of WebKit"
    ],
    source: "https://github.com/oven-sh/WebKit",
    note: relinking
  },
  {
    name: "BoringSSL",
    version: "fe703e9faa3bfd22b04eb192066856557b7e015c",
    licence: "Apache-2.0 AND ISC AND MIT",
    copyright: [
      "Copyright (c) the OpenSSL Project Authors",
      "Copyright (c) the BoringSSL Authors",
      "Copyright (c) the fiat-crypto authors"
    ],
    source: "https://github.com/oven-sh/boringssl"
  },
  {
    name: "Brotli",
    licence: "MIT",
    copyright: ["Copyright (c) 2009, 2010, 2013-2016 by the Brotli Authors"],
    source: "https://github.com/google/brotli"
  },
  {
    name: "c-ares",
    version: "0b88066f79ac9745d6819899f1794df91b73c873",
    licence: "MIT",
    copyright: [
      "Copyright (c) 1998 Massachusetts Institute of Technology",
      "Copyright (c) 2007 Daniel Stenberg and others"
    ],
    source: "https://github.com/c-ares/c-ares"
  },
  {
    name: "libarchive",
    version: "27cbc7827172698143e440801fc0ba39ccb4f1f5",
    licence: "BSD-2-Clause AND BSD-3-Clause",
    copyright: [
      "Copyright (c) 2003-2018 Tim Kientzle and other authors of libarchive",
      "Copyright (c) the Regents of the University of California"
    ],
    source: "https://github.com/libarchive/libarchive"
  },
  {
    name: "libbase64",
    licence: "BSD-2-Clause",
    copyright: [
      "Copyright (c) 2005-2007, Nick Galbreath",
      "Copyright (c) 2015-2018, Wojciech Muła",
      "Copyright (c) 2016-2017, Matthieu Darbois",
      "Copyright (c) 2013-2022, Alfred Klomp"
    ],
    source: "https://github.com/aklomp/base64"
  },
  {
    name: "libdeflate",
    version: "92e6a0db9fa848d742f9eb286c92afc60f2c3dda",
    licence: "MIT",
    copyright: ["Copyright 2016 Eric Biggers", "Copyright 2024 Google LLC"],
    source: "https://github.com/ebiggers/libdeflate"
  },
  {
    name: "libjpeg-turbo",
    version: "3.2.0",
    licence: "IJG AND BSD-3-Clause AND Zlib",
    copyright: [
      "Copyright (C) 1991-2020 Thomas G. Lane, Guido Vollbeding",
      "Copyright (C) 1991-2026 The libjpeg-turbo Project and many others"
    ],
    source: "https://github.com/libjpeg-turbo/libjpeg-turbo",
    note: "This software is based in part on the work of the Independent JPEG Group."
  },
  {
    name: "libspng",
    licence: "BSD-2-Clause",
    copyright: ["Copyright (c) 2018-2022, Randy <randy408@protonmail.com>"],
    source: "https://github.com/randy408/libspng"
  },
  {
    name: "libwebp",
    licence: "BSD-3-Clause",
    copyright: ["Copyright (c) 2010, Google Inc."],
    source: "https://github.com/webmproject/libwebp"
  },
  {
    name: "LOL HTML",
    version: "725ce499aa9b71e38b7a2d0a9fbb6d7294a4079e",
    licence: "BSD-3-Clause",
    copyright: ["Copyright (C) 2019, Cloudflare, Inc.", "Copyright (C) 2019, Ivan Nikulin"],
    source: "https://github.com/cloudflare/lol-html"
  },
  {
    name: "ls-hpack",
    version: "cf0f70dd10b352194c97448eb5d00b4aa484f531",
    licence: "MIT",
    copyright: ["Copyright (c) 2018 LiteSpeed Technologies Inc"],
    source: "https://github.com/litespeedtech/ls-hpack"
  },
  {
    name: "ls-qpack",
    licence: "MIT",
    copyright: ["Copyright (c) 2018 - 2021 LiteSpeed Technologies Inc"],
    source: "https://github.com/litespeedtech/ls-qpack"
  },
  {
    name: "lsquic",
    licence: "MIT AND BSD-3-Clause",
    copyright: ["Copyright (c) 2017 - 2018 LiteSpeed Technologies Inc", "Copyright (c) the Chromium Authors"],
    source: "https://github.com/litespeedtech/lsquic"
  },
  {
    name: "mimalloc",
    version: "92ef6587c57b262f6e6abf513f7776a2f8d12aeb",
    licence: "MIT",
    copyright: ["Copyright (c) 2018-2026 Microsoft Corporation, Daan Leijen"],
    source: "https://github.com/oven-sh/mimalloc"
  },
  {
    name: "picohttpparser",
    version: "f4d94b48b31e0abae029ebeafcfd9ca0680ede58",
    licence: "MIT",
    copyright: ["Copyright (c) 2009-2014 Kazuho Oku, Tokuhiro Matsuno, Daisuke Murase, Shigeo Mitsunari"],
    source: "https://github.com/h2o/picohttpparser"
  },
  {
    name: "llhttp",
    version: "9.4.4",
    licence: "MIT",
    copyright: ["Copyright Fedor Indutny, 2018"],
    source: "https://github.com/nodejs/llhttp"
  },
  {
    name: "simdutf",
    licence: "Apache-2.0",
    copyright: ["Copyright 2021 The simdutf authors"],
    source: "https://github.com/simdutf/simdutf"
  },
  {
    name: "SQLite",
    version: "3.54.1",
    licence: "blessing",
    copyright: [],
    source: "https://sqlite.org"
  },
  {
    name: "TinyCC",
    version: "05f0fafaa3be31e31d7b4b5c17dc60f62c991171",
    licence: "LGPL-2.1-or-later",
    copyright: ["Copyright (c) 2001-2004 Fabrice Bellard and other authors of TinyCC"],
    source: "https://github.com/oven-sh/tinycc",
    note: relinking
  },
  {
    name: "uSockets and uWebSockets",
    licence: "Apache-2.0",
    copyright: ["Authored by Alex Hultman, 2018-2024"],
    source: "https://github.com/uNetworking/uWebSockets"
  },
  {
    name: "zlib-ng",
    version: "12731092979c6d07f42da27da673a9f6c7b13586",
    licence: "Zlib",
    copyright: ["(C) 1995-2025 Jean-loup Gailly and Mark Adler"],
    source: "https://github.com/zlib-ng/zlib-ng"
  },
  {
    name: "Zstandard",
    version: "f8745da6ff1ad1e7bab384bd1f9d742439278e99",
    licence: "BSD-3-Clause",
    copyright: ["Copyright (c) Meta Platforms, Inc. and affiliates"],
    source: "https://github.com/facebook/zstd"
  },
  {
    name: "ICU",
    version: "78.3",
    licence: "Unicode-3.0 AND ICU AND BSD-2-Clause AND BSD-3-Clause AND NAIST-2003",
    copyright: [
      "Copyright (c) 2016-2026 Unicode, Inc.",
      "Copyright (c) 1995-2016 International Business Machines Corporation and others",
      "Copyright (c) 2006-2008, Google Inc.",
      "Copyright (c) 1999 TaBE Project, Pai-Hsiang Hsiao",
      "Copyright (c) 1999 Computer Systems and Communication Lab, Institute of Information Science, Academia Sinica",
      "Copyright 1996 Chih-Hao Tsai",
      "Copyright 2000, 2001, 2002, 2003 Nara Institute of Science and Technology",
      "Copyright (C) 2013 Brian Eugene Wilson, Robert Martin Campbell"
    ],
    source: "https://github.com/unicode-org/icu"
  },
  {
    name: "Highway",
    licence: "Apache-2.0",
    copyright: ["Copyright (c) the Highway Project Authors"],
    source: "https://github.com/google/highway"
  },
  {
    name: "HdrHistogram_c",
    licence: "BSD-2-Clause",
    copyright: [
      "Copyright (c) 2012, 2013, 2014 Gil Tene",
      "Copyright (c) 2014 Michael Barker",
      "Copyright (c) 2014 Matt Warren",
      "Copyright (c) 2015 Philip Orwig"
    ],
    source: "https://github.com/HdrHistogram/HdrHistogram_c"
  },
  {
    name: "uucode",
    licence: "MIT",
    copyright: ["Copyright (c) Jacob Sandlund"],
    source: "https://github.com/jacobsandlund/uucode"
  },
  {
    name: "esbuild, of which Bun's transpiler is a port",
    licence: "MIT",
    copyright: ["Copyright (c) 2020 Evan Wallace"],
    source: "https://github.com/evanw/esbuild"
  },
  {
    name: "The standard library of Rust",
    version: "1.100.0-nightly",
    licence: "Apache-2.0 OR MIT",
    copyright: ["Copyright (c) The Rust Project Contributors"],
    source: "https://github.com/rust-lang/rust"
  },
  {
    name: "cxa_thread_atexit of LLVM's libc++abi",
    licence: "Apache-2.0 WITH LLVM-exception",
    copyright: ["Copyright (c) the LLVM Project contributors"],
    source: "https://github.com/llvm/llvm-project"
  },
  {
    name: "Polyfills from npm",
    licence: "MIT",
    copyright: ["Copyright (c) the authors of these packages"],
    source: "https://github.com/oven-sh/bun/blob/main/LICENSE.md",
    note:
      "acorn, acorn-walk, assert, browserify-zlib, buffer, constants-browserify, crypto-browserify, domain-browser, " +
      "events, https-browserify, os-browserify, path-browserify, process, punycode, querystring-es3, " +
      "stream-browserify, stream-http, string_decoder, timers-browserify, tty-browserify, url, util, vm-browserify"
  }
]

/** What of GCC is linked into a Bun for glibc, or lies beside one for musl. */
const gcc = {
  name: "libstdc++ and libgcc of GCC",
  licence: "GPL-3.0-or-later WITH GCC-exception-3.1",
  copyright: ["Copyright (C) 1989-2026 Free Software Foundation, Inc."],
  source: "https://gcc.gnu.org"
}

/** The same beside executables for musl, out of a compiler of this version. */
const library = (version) => ({
  ...gcc,
  name: "libstdc++ and libgcc of GCC, in .libstdc++.so",
  version,
  note: "The file .libstdc++.so lies beside executables for musl: it is linked out of a compiler's libstdc++.a and " +
    "libgcc_eh.a."
})

/** The C library that an image has. */
export const glibc = (version) => ({
  name: "glibc",
  version,
  licence: "LGPL-2.1-or-later",
  copyright: ["Copyright (C) 1991-2026 Free Software Foundation, Inc."],
  source: "https://sourceware.org/glibc/",
  note:
    "The libraries in /lib and /lib64 of the image: copies of those of the machine that built it, whose distribution " +
    "has their sources. You may replace them."
})

/** All parts of executables. `compiler` is the version of GCC that made what lies beside those for musl, if any does. */
export const inside = (compiler) => ({
  bun,
  linked: [...linked, gcc],
  beside: compiler === undefined ? [] : [library(compiler)]
})
