/** From a file's name to its media type. Pure; a table of our own: what the web is made of, by the IANA registry (RFC 9239 for JavaScript). */

/** Type, and the extensions that have it. */
const TABLE = `
text/html html htm
text/css css
text/javascript js mjs cjs
text/plain txt text log conf ini asc
text/markdown md markdown
text/csv csv
text/tab-separated-values tsv
text/calendar ics
text/vtt vtt
text/vcard vcf
text/xml xml xsl xsd
application/json json map
application/ld+json jsonld
application/geo+json geojson
application/manifest+json webmanifest
application/schema+json schema
application/rss+xml rss
application/atom+xml atom
application/xhtml+xml xhtml xht
application/wasm wasm
application/pdf pdf
application/rtf rtf
application/epub+zip epub
application/yaml yaml yml
application/toml toml
application/sql sql
application/zip zip
application/gzip gz tgz
application/x-bzip2 bz2
application/x-xz xz
application/zstd zst
application/x-7z-compressed 7z
application/vnd.rar rar
application/x-tar tar
application/java-archive jar
application/vnd.android.package-archive apk
application/x-apple-diskimage dmg
application/vnd.ms-fontobject eot
application/vnd.ms-excel xls
application/vnd.ms-powerpoint ppt
application/msword doc
application/vnd.openxmlformats-officedocument.wordprocessingml.document docx
application/vnd.openxmlformats-officedocument.spreadsheetml.sheet xlsx
application/vnd.openxmlformats-officedocument.presentationml.presentation pptx
application/vnd.oasis.opendocument.text odt
application/vnd.oasis.opendocument.spreadsheet ods
application/vnd.oasis.opendocument.presentation odp
application/vnd.apple.mpegurl m3u8
application/dash+xml mpd
application/pgp-signature asc sig
application/x-x509-ca-cert der crt pem
application/vnd.sqlite3 sqlite sqlite3
font/woff2 woff2
font/woff woff
font/ttf ttf
font/otf otf
font/collection ttc
image/png png
image/jpeg jpg jpeg jpe
image/gif gif
image/webp webp
image/avif avif
image/svg+xml svg svgz
image/vnd.microsoft.icon ico cur
image/bmp bmp
image/tiff tif tiff
image/heic heic
image/apng apng
image/jxl jxl
audio/mpeg mp3
audio/mp4 m4a
audio/ogg oga ogg opus
audio/wav wav
audio/flac flac
audio/aac aac
audio/webm weba
audio/midi mid midi
video/mp4 mp4 m4v
video/webm webm
video/ogg ogv
video/quicktime mov
video/mpeg mpeg mpg
video/mp2t ts
video/x-matroska mkv
video/x-msvideo avi
model/gltf+json gltf
model/gltf-binary glb
`;

const TYPES = new Map<string, string>();
for (const line of TABLE.trim().split("\n")) {
  const [type = "", ...extensions] = line.split(" ");
  // The first line that has an extension wins.
  for (const extension of extensions) if (!TYPES.has(extension)) TYPES.set(extension, type);
}

/** What nobody knows is bytes, which browsers save rather than show. */
export const UNKNOWN_TYPE = "application/octet-stream";

/** Text whose encoding has to be said; JSON and XML types say theirs themselves. */
const NEEDS_CHARSET = /^text\//;

/** The last part of the name after a dot, in lower case; empty where there is none. */
export function extensionOf(name: string): string {
  const at = name.lastIndexOf(".");
  return at === -1 ? "" : name.slice(at + 1).toLowerCase();
}

/**
 * The value of Content-Type.
 * @param own types by extension (lower case, without the dot) that go before the table's.
 * @param charset added to text; empty for none.
 */
export function contentTypeOf(name: string, own: Readonly<Record<string, string>>, charset: string): string {
  const extension = extensionOf(name);
  const type = Object.hasOwn(own, extension) ? own[extension]! : (TYPES.get(extension) ?? UNKNOWN_TYPE);
  return charset !== "" && NEEDS_CHARSET.test(type) && !type.includes(";") ? `${type}; charset=${charset}` : type;
}

/** Its bytes are compressed already: a `.br` beside it would be no smaller. */
export function isCompressed(contentType: string): boolean {
  return /^(?:image\/(?!svg|bmp|vnd\.microsoft)|audio\/(?!wav)|video\/|font\/woff|application\/(?:zip|gzip|zstd|pdf|epub|x-bzip|x-xz|x-7z|vnd\.rar|java-archive|vnd\.android|x-apple|vnd\.openxml|vnd\.oasis))/.test(
    contentType,
  );
}
