/**
 * What both windowed hosts tell the page it may do. Nothing remote, no inline scripts, no eval, no
 * frames. Style attributes are allowed (components place popovers with them), style elements are not.
 *
 * `pixels` is the extra source of images: the desktop's own pixel protocol, or null in the browser
 * host, where pixels come from the page's own origin.
 */
export function contentSecurityPolicy(pixels: string | null): string {
  const also = pixels === null ? '' : ` ${pixels}`;
  return [
    `default-src 'none'`,
    `script-src 'self'`,
    `style-src 'self'`,
    `style-src-attr 'unsafe-inline'`,
    `img-src 'self' blob: data:${also}`,
    `font-src 'self'`,
    `connect-src 'self'${also}`,
    `worker-src 'self'`,
    `base-uri 'none'`,
    `form-action 'none'`,
    `frame-ancestors 'none'`,
    `object-src 'none'`,
  ].join('; ');
}

/** Headers that every answer carries, whatever it is. */
export const COMMON_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), usb=(), serial=(), hid=()',
};
