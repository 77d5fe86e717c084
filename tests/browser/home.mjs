// A home folder for one browser, so that it knows one device's certificate and trusts the site's
// authority, and nothing outside the folder has to be written: Chromium on Linux keeps both in an
// NSS database below HOME.

import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Furnishes `home` and gives the profile's folder in it. */
export async function furnish(home, { ca, certificate, key, url }) {
  const database = join(home, '.pki/nssdb');
  const store = `sql:${database}`;
  await mkdir(database, { recursive: true, mode: 0o700 });
  await run('certutil', ['-N', '-d', store, '--empty-password']);
  // Trusted to vouch for servers and for nothing else.
  await run('certutil', ['-A', '-d', store, '-n', 'site', '-t', 'C,,', '-i', ca]);
  if (certificate) await take(home, store, certificate, key);

  const profile = join(home, 'profile');
  await mkdir(join(profile, 'Default'), { recursive: true });
  await writeFile(
    join(profile, 'Default/Preferences'),
    JSON.stringify(preferences(new URL(url).hostname)),
  );
  return profile;
}

async function take(home, store, certificate, key) {
  const bundle = join(home, 'device.p12');
  await run('openssl', [
    'pkcs12',
    '-export',
    '-in',
    certificate,
    '-inkey',
    key,
    '-name',
    'device',
    '-passout',
    'pass:',
    '-out',
    bundle,
  ]);
  await run('pk12util', ['-i', bundle, '-d', store, '-W', '', '-K', '']);
  await rm(bundle);
}

// What the policy AutoSelectCertificateForUrls would put there: without it Chromium opens a window
// to ask, which nobody can answer where there is no screen.
function preferences(host) {
  const always = { last_modified: '1', setting: { filters: [{}] } };
  return {
    profile: {
      content_settings: {
        exceptions: { auto_select_certificate: { [`https://${host}:*,*`]: always } },
      },
    },
  };
}
