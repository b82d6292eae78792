// Loaded blocking in <head>, before anything is painted, so that a dark page never flashes light.
// A file of its own because the content policy forbids inline script.
(function () {
  var scheme = 'auto';
  try {
    scheme = localStorage.getItem('studysmart-theme') || 'auto';
  } catch {
    // Storage is blocked: follow the system.
  }
  if (scheme !== 'light' && scheme !== 'dark') {
    scheme = window.matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  }
  document.documentElement.setAttribute('data-mantine-color-scheme', scheme);
})();
